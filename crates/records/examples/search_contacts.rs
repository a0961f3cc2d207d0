//! Measures search over made-up contacts: `cargo run --release -p rapport-records --example search_contacts -- [CONTACTS] [BATCH]`.
//!
//! It makes the index in a temporary folder, asks it each kind of query in one thread, and prints build rate, size, memory
//! and latencies. Names follow Zipf's law, one in ten is Chinese; the same seed gives the same contacts.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::borrow::Cow;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rapport_records::search::{Change, Document, Query, Reach, SearchIndex};

/// That of the program: what is given back at rest depends on it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const QUERIES: usize = 100;

const GIVEN: &[&str] = &[
    "James",
    "Mary",
    "Robert",
    "Patricia",
    "John",
    "Jennifer",
    "Michael",
    "Linda",
    "David",
    "Elizabeth",
    "William",
    "Barbara",
    "Richard",
    "Susan",
    "Joseph",
    "Jessica",
    "Thomas",
    "Sarah",
    "Christopher",
    "Karen",
    "Charles",
    "Lisa",
    "Daniel",
    "Nancy",
    "Matthew",
    "Sandra",
    "Anthony",
    "Betty",
    "Mark",
    "Ashley",
    "Donald",
    "Emily",
    "Steven",
    "Kimberly",
    "Andrew",
    "Margaret",
    "Paul",
    "Donna",
    "Joshua",
    "Michelle",
    "Kenneth",
    "Carol",
    "José",
    "Zoë",
    "François",
    "Søren",
    "Björn",
    "Łukasz",
    "Jürgen",
    "Anaïs",
];
const FAMILY: &[&str] = &[
    "Smith",
    "Johnson",
    "Williams",
    "Brown",
    "Jones",
    "Garcia",
    "Miller",
    "Davis",
    "Rodriguez",
    "Martinez",
    "Hernandez",
    "Lopez",
    "Gonzalez",
    "Wilson",
    "Anderson",
    "Thomas",
    "Taylor",
    "Moore",
    "Jackson",
    "Martin",
    "Lee",
    "Perez",
    "Thompson",
    "White",
    "Harris",
    "Sanchez",
    "Clark",
    "Ramirez",
    "Lewis",
    "Robinson",
    "Walker",
    "Young",
    "Allen",
    "King",
    "Wright",
    "Scott",
    "Torres",
    "Nguyen",
    "Hill",
    "Flores",
    "Müller",
    "Schmidt",
    "O'Brien",
    "Sørensen",
    "Kowalski",
];
const SYLLABLES: &[&str] = &[
    "ba", "ber", "bo", "cas", "chi", "da", "del", "dor", "fa", "fel", "gar", "gel", "har", "hol", "in", "jan", "kar",
    "kov", "la", "lin", "lo", "mar", "mel", "min", "na", "nor", "o", "pe", "pol", "ra", "ros", "sa", "sen", "ski",
    "son", "ta", "ton", "ur", "va", "vin", "wal", "wil", "ya", "zan",
];
const CHINESE_FAMILY: &str =
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任";
const CHINESE_GIVEN: &str =
    "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文辉玲建国华红玉春梅海波宁鹏飞鑫浩宇轩子涵雨欣怡佳琪";
const CITIES: &[&str] =
    &["New York", "London", "Berlin", "München", "São Paulo", "Chicago", "Toronto", "Paris", "Madrid", "Oslo"];
const CHINESE_CITIES: &[&str] = &["北京市朝阳区", "上海市浦东新区", "广州市天河区", "深圳市南山区", "杭州市西湖区"];
const TRADES: &[&str] = &["Logistics", "Software", "Foods", "Medical", "Energy", "Design", "Partners", "Systems"];

/// A small generator of pseudo-random numbers (SplitMix64: Steele, Lea and Flood, 2014).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end as u64) as usize
    }

    /// The first ones far more often than the last ones.
    fn zipf(&mut self, end: usize) -> usize {
        let share = self.below(1 << 24) as f64 / f64::from(1 << 24);
        (((end as f64 + 1.0).powf(share) - 1.0) as usize).min(end - 1)
    }

    fn letter(&mut self, letters: &str) -> char {
        let at = self.zipf(letters.chars().count());
        letters.chars().nth(at).unwrap_or('王')
    }

    /// A name of syllables; there are some 80,000 of two or three.
    fn rare_name(&mut self) -> String {
        let mut name: String = (0..2 + self.below(2)).map(|_| SYLLABLES[self.below(SYLLABLES.len())]).collect();
        name[..1].make_ascii_uppercase();
        name
    }
}

struct Contact {
    name: String,
    mail: String,
    phone: String,
    company: String,
    city: &'static str,
}

fn contact(id: i64) -> Contact {
    let chance = &mut Chance(id as u64);
    let (name, mail) = if chance.below(10) == 0 {
        let name: String = std::iter::once(chance.letter(CHINESE_FAMILY))
            .chain((0..=chance.below(2)).map(|_| chance.letter(CHINESE_GIVEN)).collect::<Vec<_>>())
            .collect();
        (name, format!("{}@qq.com", 10_000_000 + chance.below(900_000_000)))
    } else {
        let given = GIVEN[chance.zipf(GIVEN.len())];
        let family =
            if chance.below(2) == 0 { FAMILY[chance.zipf(FAMILY.len())].to_owned() } else { chance.rare_name() };
        let host = ["gmail.com", "yahoo.com", "outlook.com"]
            .get(chance.below(6))
            .map_or_else(|| format!("{}.com", chance.rare_name().to_lowercase()), |host| (*host).to_owned());
        let mail = format!("{given}.{family}{}@{host}", chance.below(1_000)).to_lowercase();
        (format!("{given} {family}"), mail)
    };
    let chinese = !name.is_ascii() && name.chars().all(|letter| letter > '\u{2000}');
    let (phone, company, city) = if chinese {
        (
            format!("+86 13{} {:04} {:04}", chance.below(10), chance.below(10_000), chance.below(10_000)),
            format!("{}{}科技有限公司", chance.letter(CHINESE_GIVEN), chance.letter(CHINESE_GIVEN)),
            CHINESE_CITIES[chance.zipf(CHINESE_CITIES.len())],
        )
    } else {
        (
            format!("+1 ({:03}) {:03}-{:04}", 200 + chance.below(800), 200 + chance.below(800), chance.below(10_000)),
            format!("{} {}", chance.rare_name(), TRADES[chance.below(TRADES.len())]),
            CITIES[chance.zipf(CITIES.len())],
        )
    };
    Contact { name, mail, phone, company, city }
}

fn document(id: i64, contact: &Contact) -> Document<'_> {
    let texts = [&contact.mail, &contact.phone, &contact.company].map(|text| Cow::Borrowed(text.as_str()));
    Document {
        object: "contact",
        id,
        title: &contact.name,
        texts: texts.into_iter().chain([Cow::Borrowed(contact.city)]).collect(),
        owner: Some(id % 200),
        team: Some(id % 20),
    }
}

/// A kind of query, and one made of a contact.
type Kind = (&'static str, fn(&Contact, &mut Chance) -> String);

const KINDS: &[Kind] = &[
    ("name", |contact, _| contact.name.clone()),
    ("beginning, 1-3", |contact, chance| contact.name.chars().take(1 + chance.below(3)).collect()),
    ("beginning, 4-6", |contact, chance| contact.name.chars().take(4 + chance.below(3)).collect()),
    ("name and beginning", |contact, _| {
        let (given, family) = contact.name.split_once(' ').unwrap_or((&contact.name, ""));
        format!("{given} {}", family.chars().take(3).collect::<String>())
    }),
    ("typing error", |contact, chance| swapped(&contact.name, chance)),
    ("one word, error", |contact, chance| swapped(contact.name.split(' ').next_back().unwrap_or_default(), chance)),
    ("chinese", |_, chance| format!("{}{}", chance.letter(CHINESE_FAMILY), chance.letter(CHINESE_GIVEN))),
    ("e-mail", |contact, _| contact.mail.clone()),
    ("e-mail, error", |contact, chance| swapped(&contact.mail, chance)),
    ("domain", |contact, _| contact.mail.rsplit('@').next().unwrap_or_default().to_owned()),
    ("phone", |contact, _| contact.phone.clone()),
    ("last 4 digits", |contact, _| contact.phone[contact.phone.len() - 4..].to_owned()),
    ("common word", |_, chance| ["smith", "john", "gmail", "com", "logistics", "berlin"][chance.below(6)].to_owned()),
    ("company and city", |contact, _| format!("{} {}", contact.company, contact.city)),
    ("nothing has all", |contact, chance| format!("{} {} xqzw", contact.name, chance.rare_name())),
];

/// `text` with two neighbouring letters swapped somewhere behind its first letter.
fn swapped(text: &str, chance: &mut Chance) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    if letters.len() > 3 {
        let at = 1 + chance.below(letters.len() - 2);
        letters.swap(at, at + 1);
    }
    letters.into_iter().collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let contacts: i64 = std::env::args().nth(1).map_or(Ok(1_000_000), |text| text.parse())?;
    let batch: i64 = std::env::args().nth(2).map_or(Ok(20_000), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    println!("before: {}", memory()?);
    build(folder.path(), contacts, batch)?;
    let start = Instant::now();
    let index = SearchIndex::open(folder.path())?;
    println!("opened, every checksum compared, in {:.0?}; {}", start.elapsed(), memory()?);
    println!("{:>20} {:>9} {:>9} {:>9} {:>9} {:>8} {:>8}", "query", "p50", "p95", "p99", "max", "hits", "itself");
    let reach = Reach::Team { user: 7, teams: vec![1, 2, 3, 4, 5] };
    let mut chance = Chance(1);
    let mut all = Vec::new();
    for (kind, make) in KINDS {
        let (mut times, mut found, mut itself) = (Vec::new(), 0, 0);
        for _ in 0..QUERIES {
            // Of a team that the reader is in, so that it can be found.
            let id = chance.below(contacts as usize / 20) as i64 * 20 + 1 + chance.below(5) as i64;
            let text = make(&contact(id), &mut chance);
            let query = Query { text: &text, objects: &[("contact", reach.clone())], limit: 20, offset: 0 };
            let start = Instant::now();
            let hits = index.search(&query)?;
            times.push(start.elapsed());
            found += hits.len();
            itself += usize::from(hits.iter().any(|hit| hit.id == id));
        }
        print_row(kind, &mut times, found, itself);
        all.extend(times);
    }
    print_row("all", &mut all, 0, 0);
    println!("after: {}", memory()?);
    feed_live(&index, contacts)?;
    Ok(())
}

fn build(folder: &Path, contacts: i64, batch: i64) -> Result<(), Box<dyn Error>> {
    let index = SearchIndex::open(folder)?;
    let (start, cpu) = (Instant::now(), cpu()?);
    let mut making = Duration::ZERO;
    for first in (1..=contacts).step_by(batch as usize) {
        let made = Instant::now();
        let ids = first..=contacts.min(first + batch - 1);
        let rows: Vec<(i64, Contact)> = ids.map(|id| (id, contact(id))).collect();
        let changes: Vec<Change> = rows.iter().map(|(id, contact)| Change::Put(document(*id, contact))).collect();
        making += made.elapsed();
        index.apply(&changes, first)?;
    }
    let fed = start.elapsed();
    println!("fed: {}", memory()?);
    index.rest()?;
    let (spent, wall) = (self::cpu()?.saturating_sub(cpu + making), start.elapsed().saturating_sub(making));
    let rate = |time: Duration| contacts as f64 / time.as_secs_f64();
    println!(
        "{contacts} contacts fed in {:.1?}, merged by {wall:.1?}: {:.0}/s; {:.1?} of processor time: {:.0}/s of a core",
        fed.saturating_sub(making),
        rate(wall),
        spent,
        rate(spent)
    );
    let files =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.metadata()?.len())).collect::<Result<Vec<_>, std::io::Error>>()?;
    println!("{} MB on disk in {} files; at rest: {}", files.iter().sum::<u64>() >> 20, files.len(), memory()?);
    Ok(())
}

/// Small batches, as they come while people work.
fn feed_live(index: &SearchIndex, contacts: i64) -> Result<(), Box<dyn Error>> {
    let mut times = Vec::new();
    for round in 0..100 {
        let id = 1 + (round * 7_919) % contacts;
        let changed = contact(id + 1);
        let start = Instant::now();
        index.apply(&[Change::Put(document(id, &changed))], contacts + round)?;
        times.push(start.elapsed());
    }
    print_row("one change applied", &mut times, 0, 0);
    index.rest()?;
    println!("at rest: {}", memory()?);
    Ok(())
}

fn print_row(kind: &str, times: &mut [Duration], found: usize, itself: usize) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() as f64 * share) as usize).min(times.len() - 1)];
    let [p50, p95, p99, max] = [0.5, 0.95, 0.99, 1.0].map(|share| format!("{:.2?}", at(share)));
    println!("{kind:>20} {p50:>9} {p95:>9} {p99:>9} {max:>9} {:>8.1} {itself:>8}", found as f64 / times.len() as f64);
}

/// What the process holds, by what the kernel says of it.
fn memory() -> Result<String, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let kept = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("0");
        line.split_whitespace().next().and_then(|number| number.parse::<u64>().ok()).unwrap_or(0) >> 10
    };
    Ok(format!("{} MB of its own, {} MB of mapped files", kept("RssAnon:"), kept("RssFile:")))
}

/// Processor time of the whole process.
fn cpu() -> Result<Duration, Box<dyn Error>> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    // User and system time, fields 14 and 15 of proc(5), in hundredths of a second on every Linux that is in use.
    let ticks = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(Duration::from_millis(ticks * 10))
}
