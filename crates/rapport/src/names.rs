//! Names of people who do not exist, in the languages of their countries, and addresses that can be nobody's.
//!
//! Chinese and Japanese names stand with their Latin spelling, which addresses are made of. Domains end in `.example`, which
//! RFC 2606 keeps free; telephone numbers are of ranges that regulators keep for films and books.

use crate::random::Random;

/// A person's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) first: &'static str,
    pub(crate) last: &'static str,
    /// The way that the whole is written.
    pub(crate) whole: String,
    /// For an address: letters of ASCII with a dot between.
    pub(crate) address: String,
}

/// First names and last names of a language, with commas between; behind `/` in Latin letters.
struct Tongue {
    first: &'static str,
    last: &'static str,
}

impl Name {
    /// A name as somebody in `country` may have it.
    pub(crate) fn of(country: &str, random: &mut Random) -> Self {
        let tongue = tongue(country, random);
        let (first, first_latin) = spellings(one_of(tongue.first, random));
        let (last, last_latin) = spellings(one_of(tongue.last, random));
        // Family names stand first, without a space, where a name is not written in Latin letters.
        let whole = if first == first_latin { format!("{first} {last}") } else { format!("{last}{first}") };
        let address = format!("{}.{}", latin(first_latin), latin(last_latin));
        Self { first, last, whole, address }
    }
}

/// One of the entries of a list with commas between.
pub(crate) fn one_of(list: &'static str, random: &mut Random) -> &'static str {
    let count = list.split(", ").count();
    list.split(", ").nth(random.below(count as u64) as usize).unwrap_or(list)
}

fn spellings(entry: &'static str) -> (&'static str, &'static str) {
    entry.split_once('/').unwrap_or((entry, entry))
}

/// A text in small letters of ASCII, as addresses have them.
pub(crate) fn latin(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars().flat_map(char::to_lowercase) {
        match letter {
            'ä' | 'æ' => plain.push_str("ae"),
            'ö' | 'ø' | 'œ' => plain.push_str("oe"),
            'ü' => plain.push_str("ue"),
            'å' | 'á' | 'à' | 'â' | 'ã' | 'ą' => plain.push('a'),
            'é' | 'è' | 'ê' | 'ë' | 'ę' => plain.push('e'),
            'í' | 'î' | 'ï' => plain.push('i'),
            'ó' | 'ô' | 'õ' => plain.push('o'),
            'ú' | 'û' => plain.push('u'),
            'ç' | 'ć' | 'č' => plain.push('c'),
            'ñ' | 'ń' => plain.push('n'),
            'ł' => plain.push('l'),
            'ś' | 'š' => plain.push('s'),
            'ż' | 'ź' | 'ž' => plain.push('z'),
            'ß' => plain.push_str("ss"),
            letter if letter.is_ascii_alphanumeric() => plain.push(letter),
            ' ' | '-' => plain.push('-'),
            _ => {}
        }
    }
    plain
}

fn tongue(country: &str, random: &mut Random) -> &'static Tongue {
    match country {
        "Germany" | "Austria" => &GERMAN,
        "Switzerland" if random.chance(0.7) => &GERMAN,
        "France" | "Belgium" | "Switzerland" | "Lebanon" => &FRENCH,
        "Spain" => &SPANISH,
        "Portugal" | "Brazil" => &PORTUGUESE,
        "Italy" | "Malta" => &ITALIAN,
        "Netherlands" => &DUTCH,
        "Norway" | "Sweden" | "Denmark" | "Finland" | "Iceland" => &NORDIC,
        "Poland" | "Czech Republic" | "Lithuania" => &POLISH,
        "Greece" | "Cyprus" => &GREEK,
        "United Arab Emirates" | "Saudi Arabia" | "Bahrain" => &ARABIC,
        "Hong Kong" | "Singapore" | "China" => &CHINESE,
        "Japan" => &JAPANESE,
        // People of many origins live there.
        _ => match random.below(100) {
            0..8 => &INDIAN,
            8..12 => &POLISH,
            12..15 => &CHINESE_ABROAD,
            15..17 => &WEST_AFRICAN,
            _ => &ENGLISH,
        },
    }
}

const ENGLISH: Tongue = Tongue {
    first: "Alice, Amelia, Andrew, Anna, Anthony, Ben, Beth, Callum, Caroline, Charlotte, Chloe, Claire, Daniel, David, \
        Eleanor, Ella, Emily, Emma, Ethan, Fiona, Freya, George, Grace, Graham, Hannah, Harriet, Harry, Helen, \
        Henry, Holly, Imogen, Isla, Jack, Jacob, James, Jane, Jessica, Joanne, John, Joseph, Josh, Karen, Kate, \
        Laura, Leo, Lily, Louise, Lucy, Luke, Margaret, Mark, Martin, Matthew, Megan, Michael, Molly, Naomi, Nicola, \
        Oliver, Olivia, Patrick, Paul, Peter, Phoebe, Rachel, Rebecca, Richard, Robert, Rosie, Ruth, Sam, Sarah, \
        Scott, Simon, Sophie, Stephen, Susan, Thomas, Tom, Victoria, William, Zoe",
    last: "Adams, Allen, Anderson, Armstrong, Bailey, Baker, Barker, Barnes, Bell, Bennett, Booth, Bradley, Brooks, \
        Brown, Burton, Butler, Campbell, Carter, Chapman, Clark, Cole, Collins, Cook, Cooper, Cox, Crawford, Dawson, \
        Dixon, Edwards, Ellis, Evans, Fisher, Fletcher, Foster, Fox, Gibson, Gordon, Graham, Grant, Gray, Green, \
        Griffiths, Hall, Hamilton, Harper, Harris, Harrison, Harvey, Hayes, Hill, Holmes, Howard, Hughes, Hunt, \
        Hunter, Jackson, Jenkins, Johnson, Jones, Kelly, Kennedy, King, Knight, Lane, Lawson, Lee, Lewis, Lloyd, \
        Marsh, Marshall, Martin, Mason, McDonald, Mills, Mitchell, Moore, Morgan, Morris, Murphy, Murray, Newman, \
        Nicholson, Owen, Palmer, Parker, Pearce, Phillips, Porter, Powell, Price, Reid, Richards, Roberts, Robinson, \
        Rogers, Ross, Russell, Ryan, Saunders, Scott, Shaw, Simpson, Smith, Spencer, Stevens, Stewart, Stone, \
        Sutton, Taylor, Thompson, Turner, Walker, Wallace, Walsh, Ward, Watson, Webb, West, White, Wilkinson, \
        Williams, Wilson, Wood, Wright, Young",
};
const INDIAN: Tongue = Tongue {
    first: "Aarav, Aisha, Amir, Anil, Anjali, Arjun, Asha, Deepak, Farah, Hassan, Imran, Kavita, Leela, Meera, Nadia, \
        Neha, Nikhil, Priya, Rahul, Ravi, Rohan, Sana, Sanjay, Shreya, Sunita, Vikram",
    last: "Ahmed, Ali, Begum, Bhatt, Chaudhary, Das, Desai, Gill, Hussain, Iyer, Kapoor, Khan, Kumar, Malik, Mehta, \
        Nair, Patel, Rao, Reddy, Shah, Sharma, Singh, Verma",
};
const WEST_AFRICAN: Tongue = Tongue {
    first: "Abena, Ade, Amara, Chidi, Chinwe, Efua, Folake, Ife, Kofi, Kwame, Ngozi, Tunde, Yaa",
    last: "Adeyemi, Agyeman, Asante, Balogun, Boateng, Eze, Mensah, Nwosu, Okafor, Osei, Owusu",
};
const GERMAN: Tongue = Tongue {
    first: "Andreas, Anja, Anke, Anna, Annika, Birgit, Björn, Christian, Claudia, Daniel, Elke, Eva, Felix, Florian, \
        Frank, Greta, Hanna, Heike, Ingrid, Jan, Jana, Jens, Jonas, Julia, Jürgen, Katharina, Katrin, Klaus, Lars, \
        Lena, Lukas, Maike, Markus, Matthias, Max, Monika, Nina, Paul, Petra, Ralf, Sabine, Sebastian, Silke, \
        Stefan, Susanne, Sven, Thomas, Ulrike, Uwe",
    last: "Arnold, Bauer, Baumann, Becker, Berger, Braun, Böhm, Dietrich, Engel, Fischer, Frank, Franke, Fuchs, Graf, \
        Groß, Günther, Haas, Hahn, Hartmann, Herrmann, Hoffmann, Huber, Jung, Kaiser, Keller, Klein, Koch, Krause, \
        Krüger, Köhler, König, Lang, Lehmann, Maier, Meyer, Möller, Neumann, Peters, Pohl, Richter, Roth, Sauer, \
        Schmidt, Schneider, Scholz, Schubert, Schulz, Schäfer, Seidel, Simon, Sommer, Stein, Vogel, Vogt, Wagner, \
        Weber, Werner, Winter, Wolf",
};
const FRENCH: Tongue = Tongue {
    first: "Adèle, Alain, Amélie, Antoine, Aurélie, Camille, Chloé, Clément, Céline, Denis, Élodie, Émile, Étienne, \
        Fabien, Florence, François, Guillaume, Hélène, Hugo, Inès, Isabelle, Jean, Julien, Laure, Louis, Léa, Manon, \
        Marc, Margaux, Marie, Mathieu, Nathalie, Nicolas, Olivier, Pascal, Pauline, Philippe, Romain, Sandrine, \
        Sylvie, Thierry, Valérie, Vincent, Yves",
    last: "Bernard, Berger, Blanc, Bonnet, Boyer, Brun, Chevalier, Colin, David, Dubois, Dufour, Dumas, Dupont, Durand, \
        Faure, Fontaine, Fournier, Garnier, Gauthier, Girard, Henry, Lacroix, Lambert, Laurent, Leclerc, Lefèvre, \
        Legrand, Lemoine, Leroy, Marchand, Martin, Masson, Mercier, Michel, Moreau, Morel, Noël, Perrin, Petit, \
        Renaud, Rey, Richard, Rivière, Robert, Rousseau, Roux, Simon, Thomas, Vidal, Vincent",
};
const SPANISH: Tongue = Tongue {
    first: "Alba, Alejandro, Álvaro, Ana, Andrés, Beatriz, Carla, Carlos, Carmen, Clara, Diego, Elena, Enrique, Inés, \
        Iván, Javier, Jorge, José, Juan, Laura, Lucía, Luis, Manuel, Marta, María, Miguel, Noelia, Nuria, Óscar, \
        Pablo, Paula, Pilar, Raúl, Rocío, Rosa, Sergio, Sofía, Teresa",
    last: "Alonso, Blanco, Cano, Castro, Delgado, Díaz, Domínguez, Fernández, Flores, García, Gil, Gómez, González, \
        Gutiérrez, Hernández, Herrera, Iglesias, Jiménez, León, López, Marín, Martín, Martínez, Medina, Molina, \
        Morales, Moreno, Muñoz, Navarro, Núñez, Ortega, Ortiz, Pérez, Prieto, Ramos, Rubio, Ruiz, Sánchez, Santos, \
        Serrano, Suárez, Torres, Vega, Vidal",
};
const PORTUGUESE: Tongue = Tongue {
    first: "Ana, António, Beatriz, Carolina, Catarina, Diogo, Filipa, Gonçalo, Inês, João, Joana, José, Luís, Madalena, \
        Mariana, Miguel, Nuno, Pedro, Rita, Rui, Sara, Sofia, Tiago, Vasco",
    last: "Almeida, Barbosa, Cardoso, Carvalho, Correia, Costa, Cunha, Dias, Fernandes, Ferreira, Fonseca, Gomes, \
        Lopes, Machado, Marques, Martins, Mendes, Moreira, Oliveira, Pereira, Pinto, Ribeiro, Rocha, Santos, Silva, \
        Sousa, Teixeira",
};
const ITALIAN: Tongue = Tongue {
    first: "Alessandra, Alessio, Andrea, Beatrice, Chiara, Davide, Elisa, Fabio, Federica, Francesco, Giorgia, Giovanni, \
        Giulia, Laura, Lorenzo, Luca, Marco, Martina, Matteo, Paolo, Pietro, Sara, Silvia, Simone, Stefano, \
        Valentina",
    last: "Barbieri, Bianchi, Bruno, Caruso, Colombo, Conti, Costa, De Luca, Esposito, Fabbri, Ferrari, Fontana, Gallo, \
        Gatti, Greco, Leone, Lombardi, Longo, Mancini, Marchetti, Marino, Moretti, Ricci, Rinaldi, Rizzo, Romano, \
        Rossi, Russo, Santoro, Serra, Villa",
};
const DUTCH: Tongue = Tongue {
    first: "Anne, Anouk, Bart, Bram, Daan, Eva, Femke, Floor, Hans, Ingrid, Jan, Jeroen, Joost, Kees, Lieke, Lotte, \
        Maarten, Marieke, Niels, Noor, Pieter, Roos, Ruben, Sander, Sanne, Thijs, Wouter",
    last: "Bakker, Bos, Brouwer, de Boer, de Graaf, de Groot, de Jong, de Vries, de Wit, Dekker, Dijkstra, Hendriks, \
        Jacobs, Jansen, Koster, Kuipers, Meijer, Mulder, Peters, Postma, Prins, Smit, van den Berg, van Dijk, van \
        Leeuwen, van Vliet, Verhoeven, Visser, Vos, Willems",
};
const NORDIC: Tongue = Tongue {
    first: "Anders, Anna, Astrid, Bjørn, Elin, Emil, Eero, Erik, Frida, Freja, Gunnar, Hanna, Helga, Ingrid, Jonas, \
        Kari, Kirsten, Lars, Linnéa, Magnus, Maja, Mikkel, Nils, Ole, Oskar, Pernille, Sigrid, Sofie, Sven, Søren, \
        Tuomas, Ville, Åsa",
    last: "Andersen, Andersson, Berg, Bergström, Christensen, Dahl, Eriksson, Hansen, Haugen, Holm, Jensen, Johansson, \
        Karlsson, Kristiansen, Larsen, Lindberg, Lindqvist, Lund, Lundgren, Madsen, Mäkinen, Nielsen, Nilsson, \
        Nygaard, Olsen, Pedersen, Rasmussen, Sandberg, Strand, Sørensen, Virtanen",
};
const POLISH: Tongue = Tongue {
    first: "Adam, Agnieszka, Aleksandra, Anna, Barbara, Ewa, Grzegorz, Jakub, Jan, Joanna, Katarzyna, Krzysztof, Łukasz, \
        Maciej, Magdalena, Marcin, Marta, Michał, Monika, Natalia, Paweł, Piotr, Tomasz, Zofia",
    last: "Adamczyk, Baran, Dąbrowski, Duda, Dudek, Górski, Jankowski, Kaczmarek, Kamiński, Kowalczyk, Kowalski, \
        Kozłowski, Król, Krawczyk, Lewandowski, Maj, Mazur, Nowak, Pawlak, Sikora, Szymański, Wieczorek, Wilk, \
        Witkowski, Wojciechowski, Woźniak, Wróbel, Zając, Zieliński",
};
const GREEK: Tongue = Tongue {
    first: "Alexandra, Andreas, Dimitra, Eleni, Georgios, Ioanna, Katerina, Kostas, Maria, Nikos, Sofia",
    last: "Alexiou, Christodoulou, Dimitriou, Georgiou, Ioannou, Karagiannis, Nikolaou, Pappas, Vlachos",
};
const ARABIC: Tongue = Tongue {
    first: "Ahmad, Amina, Fatima, Hamad, Khalid, Layla, Mariam, Noura, Omar, Rashid, Salma, Yousef",
    last: "Al Amiri, Al Farsi, Al Hashimi, Al Mansoori, Al Najjar, Al Rashid, Al Suwaidi, Haddad, Nasser",
};
const CHINESE: Tongue = Tongue {
    first: "伟/wei, 芳/fang, 娜/na, 敏/min, 静/jing, 丽/li, 强/qiang, 磊/lei, 洋/yang, 艳/yan, 勇/yong, 军/jun, 杰/jie, 涛/tao, \
        明/ming, 超/chao, 秀英/xiuying, 霞/xia, 平/ping, 刚/gang, 桂英/guiying, 文/wen, 思远/siyuan, 子涵/zihan, 雨桐/yutong, \
        浩然/haoran, 欣怡/xinyi, 梓萱/zixuan, 嘉豪/jiahao, 晓东/xiaodong, 建国/jianguo, 志强/zhiqiang, 慧/hui, 婷/ting, 雪/xue, \
        宇航/yuhang, 诗涵/shihan, 俊杰/junjie",
    last: "王/wang, 李/li, 张/zhang, 刘/liu, 陈/chen, 杨/yang, 黄/huang, 赵/zhao, 吴/wu, 周/zhou, 徐/xu, 孙/sun, 马/ma, 朱/zhu, 胡/hu, \
        郭/guo, 何/he, 林/lin, 高/gao, 罗/luo, 郑/zheng, 梁/liang, 谢/xie, 宋/song, 唐/tang, 许/xu, 邓/deng, 韩/han, 冯/feng, \
        曹/cao, 彭/peng, 曾/zeng, 萧/xiao, 田/tian, 董/dong, 潘/pan, 袁/yuan, 蔡/cai, 蒋/jiang, 余/yu, 叶/ye, 程/cheng, 魏/wei, \
        苏/su, 吕/lv, 丁/ding",
};
const CHINESE_ABROAD: Tongue = Tongue {
    first: "Amy, Grace, Hui Min, Jason, Jia Hui, Kevin, Li Na, Mei Ling, Vivian, Wei Jie, Xiao Ming",
    last: "Chan, Chen, Cheung, Ho, Huang, Lam, Leung, Li, Lim, Liu, Ng, Tan, Wang, Wong, Zhang",
};
const JAPANESE: Tongue = Tongue {
    first: "健太/kenta, 翔太/shota, 大輔/daisuke, 拓也/takuya, 直樹/naoki, 美咲/misaki, 愛/ai, 陽子/yoko, 恵子/keiko, 由美/yumi, \
        さくら/sakura, 結衣/yui",
    last: "佐藤/sato, 鈴木/suzuki, 高橋/takahashi, 田中/tanaka, 渡辺/watanabe, 伊藤/ito, 山本/yamamoto, 中村/nakamura, 小林/kobayashi, \
        加藤/kato, 吉田/yoshida, 山田/yamada",
};

/// Telephone numbers that ring nowhere, each given once.
#[derive(Debug, Default)]
pub(crate) struct Phones {
    british: usize,
    others: [usize; 3],
}

impl Phones {
    /// The next number of a country; none where no range is known to be free, or all of it is given.
    pub(crate) fn next(&mut self, country: &str) -> Option<String> {
        let mut count = |place: usize, most: usize| {
            let number = self.others[place];
            self.others[place] += 1;
            (number < most).then_some(number)
        };
        match country {
            "United Kingdom" | "Channel Islands" => {
                let number = self.british;
                self.british += 1;
                let (area, line) = (BRITISH.get(number % BRITISH.len())?, number / BRITISH.len());
                (line < 1_000).then(|| format!("+44 {area}{line:03}"))
            }
            "Germany" => count(0, 1_000).map(|line| format!("+49 30 23125 {line:03}")),
            "France" => count(1, 10_000).map(|line| format!("+33 1 99 00 {:02} {:02}", line / 100, line % 100)),
            "USA" | "Canada" => count(2, 100).map(|line| format!("+1 202 555 01{line:02}")),
            _ => None,
        }
    }
}

/// Ofcom's numbers for drama, less the last three digits.
const BRITISH: [&str; 12] = [
    "7700 900 ",
    "1632 960 ",
    "20 7946 0",
    "113 496 0",
    "114 496 0",
    "115 496 0",
    "117 496 0",
    "121 496 0",
    "131 496 0",
    "141 496 0",
    "151 496 0",
    "161 496 0",
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_of_their_countries_and_addresses_are_plain() {
        let mut random = Random::new(1, 1);
        let mut in_han = 0;
        for country in ["United Kingdom", "Germany", "China", "Japan", "Poland", "Spain", "France", "Nowhere"] {
            for _ in 0..300 {
                let name = Name::of(country, &mut random);
                assert!(
                    name.address.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte)),
                    "{name:?}"
                );
                assert!(!name.whole.contains('/') && !name.first.is_empty() && !name.last.is_empty(), "{name:?}");
                if country == "China" {
                    assert!(name.whole.starts_with(name.last) && !name.whole.contains(' '), "{name:?}");
                    in_han += 1;
                }
            }
        }
        assert_eq!(in_han, 300);
        assert_eq!(latin("Françoise Müller-Ørsted"), "francoise-mueller-oersted");
    }

    #[test]
    fn no_telephone_number_is_given_twice() {
        let mut phones = Phones::default();
        let given: Vec<String> = (0..11_000).filter_map(|_| phones.next("United Kingdom")).collect();
        assert_eq!((given.len(), given.iter().collect::<HashSet<_>>().len()), (11_000, 11_000));
        assert_eq!(phones.next("Germany").as_deref(), Some("+49 30 23125 000"));
        assert_eq!((0..200).filter_map(|_| phones.next("USA")).count(), 100);
        assert_eq!(phones.next("Nowhere"), None);
    }
}
