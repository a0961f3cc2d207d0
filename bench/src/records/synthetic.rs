//! Contacts and deals that nobody has: names by Zipf's law, one in ten Chinese, spread over people and teams. A contact's number
//! makes it, so both databases and the search hold the same.

use rapport_records::{Access, Fields, Grant, Id, Reach, Role};
use serde_json::{Value, json};

/// People who own records.
pub(super) const PEOPLE: i64 = 500;
/// Their teams; everybody is in two of them.
pub(super) const TEAMS: i64 = 50;
/// Ids of teams begin here.
const FIRST_TEAM: i64 = 1_000;

const GIVEN: &[&str] = &[
    "James",
    "Mary",
    "Robert",
    "Linda",
    "John",
    "Jennifer",
    "Michael",
    "Susan",
    "David",
    "Karen",
    "William",
    "Sarah",
    "Thomas",
    "Lisa",
    "Daniel",
    "Nancy",
    "Anthony",
    "Emily",
    "Andrew",
    "Michelle",
    "José",
    "Zoë",
    "François",
    "Søren",
];
const FAMILY: &[&str] = &[
    "Smith", "Johnson", "Williams", "Brown", "Garcia", "Miller", "Davis", "Martinez", "Lopez", "Wilson", "Anderson",
    "Moore", "Jackson", "Lee", "Thompson", "White", "Harris", "Clark", "Lewis", "Walker", "Müller", "O'Brien",
];
const SYLLABLES: &[&str] = &[
    "ba", "ber", "bo", "cas", "da", "del", "dor", "fel", "gar", "gel", "har", "hol", "jan", "kar", "kov", "lin", "mar",
    "mel", "min", "nor", "pe", "pol", "ros", "sen", "ski", "son", "ton", "val", "vin", "wal", "yan", "zan",
];
const CHINESE_FAMILY: &str = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗";
const CHINESE_GIVEN: &str = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文辉玲建国华红玉";
const CITIES: &[(&str, &str)] = &[
    ("New York", "US"),
    ("London", "GB"),
    ("Berlin", "DE"),
    ("München", "DE"),
    ("São Paulo", "BR"),
    ("Chicago", "US"),
    ("Toronto", "CA"),
    ("Paris", "FR"),
    ("Madrid", "ES"),
    ("Oslo", "NO"),
    ("Köln", "DE"),
    ("Leeds", "GB"),
];
const CHINESE_CITIES: &[&str] = &["北京市", "上海市", "广州市", "深圳市", "杭州市"];
pub(super) const LIFECYCLES: [&str; 4] = ["subscriber", "lead", "customer", "former"];
const SOURCES: [&str; 5] = ["web", "referral", "event", "advertising", "other"];

/// A small generator of pseudo-random numbers (SplitMix64: Steele, Lea and Flood, 2014).
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end as u64) as usize
    }

    /// One of some; the first ones far more often than the last ones.
    pub(super) fn zipf<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        let share = self.below(1 << 24) as f64 / f64::from(1 << 24);
        let place = (of.len() as f64 + 1.0).powf(share) - 1.0;
        &of[(place as usize).min(of.len() - 1)]
    }

    fn letter(&mut self, letters: &str) -> char {
        let letters: Vec<char> = letters.chars().collect();
        *self.zipf(&letters)
    }

    /// A name of syllables; there are some 30,000 of two or three.
    fn rare_name(&mut self) -> String {
        let mut name: String = (0..2 + self.below(2)).map(|_| SYLLABLES[self.below(SYLLABLES.len())]).collect();
        name[..1].make_ascii_uppercase();
        name
    }
}

/// A contact.
#[derive(Debug, Clone)]
pub(super) struct Contact {
    pub(super) first: String,
    pub(super) last: String,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) phone: String,
    pub(super) job: String,
    pub(super) city: String,
    pub(super) country: &'static str,
    pub(super) lifecycle: &'static str,
    pub(super) source: &'static str,
    pub(super) consent: bool,
    pub(super) owner: i64,
    pub(super) team: i64,
}

/// The contact of a number.
pub(super) fn contact(number: usize) -> Contact {
    let chance = &mut Chance(number as u64);
    let owner = 1 + chance.below(PEOPLE as usize) as i64;
    let is_chinese = chance.below(10) == 0;
    let (first, last) = if is_chinese {
        let given = (0..=chance.below(2)).map(|_| chance.letter(CHINESE_GIVEN)).collect();
        (given, chance.letter(CHINESE_FAMILY).to_string())
    } else {
        let last = if chance.below(2) == 0 { (*chance.zipf(FAMILY)).to_owned() } else { chance.rare_name() };
        ((*chance.zipf(GIVEN)).to_owned(), last)
    };
    let host = chance.rare_name().to_lowercase();
    let plain: String = last.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let (city, country) = *chance.zipf(CITIES);
    let (city, country) = if is_chinese { (*chance.zipf(CHINESE_CITIES), "CN") } else { (city, country) };
    Contact {
        name: if is_chinese { format!("{last}{first}") } else { format!("{first} {last}") },
        email: format!("{plain}.{number}@{host}.example"),
        phone: format!("+1 {:03} {:03} {:04}", 200 + chance.below(800), chance.below(1_000), chance.below(10_000)),
        job: format!("{} of {}", ["Head", "Director", "Manager"][chance.below(3)], chance.rare_name()),
        city: city.to_owned(),
        country,
        lifecycle: LIFECYCLES[chance.below(LIFECYCLES.len())],
        source: SOURCES[chance.below(SOURCES.len())],
        consent: chance.below(3) == 0,
        owner,
        team: teams_of(owner)[chance.below(2)],
        first,
        last,
    }
}

impl Contact {
    /// As a request would give it.
    pub(super) fn fields(&self) -> Fields {
        fields(json!({
            "first_name": self.first, "last_name": self.last, "name": self.name, "email": self.email, "phone": self.phone,
            "job_title": self.job, "city": self.city, "country": self.country, "lifecycle": self.lifecycle,
            "source": self.source, "marketing_consent": self.consent, "owner": Id(self.owner), "team": Id(self.team),
        }))
    }
}

/// The deal of a number, at one of the stages.
pub(super) fn deal(number: usize, stages: &[Id]) -> Fields {
    let chance = &mut Chance(number as u64 ^ 0xdea1);
    let owner = 1 + chance.below(PEOPLE as usize) as i64;
    let currency = ["EUR", "USD"][chance.below(2)];
    fields(json!({
        "name": format!("{} {number}", chance.rare_name()), "stage": chance.zipf(stages),
        "amount": { "amount": 100 + chance.below(100_000), "currency": currency },
        "close_date": format!("2026-{:02}-{:02}", 1 + chance.below(12), 1 + chance.below(28)),
        "owner": Id(owner), "team": Id(teams_of(owner)[chance.below(2)]),
    }))
}

fn fields(value: Value) -> Fields {
    match value {
        Value::Object(fields) => fields,
        _ => Fields::new(),
    }
}

/// The two teams of a person.
pub(super) fn teams_of(person: i64) -> [i64; 2] {
    [FIRST_TEAM + person % TEAMS, FIRST_TEAM + (person * 7 + 1) % TEAMS]
}

/// All people and all teams.
pub(super) fn everybody() -> (Vec<Id>, Vec<Id>) {
    ((1..=PEOPLE).map(Id).collect(), (0..TEAMS).map(|team| Id(FIRST_TEAM + team)).collect())
}

/// A person who reads and changes what they or their teams own.
pub(super) fn member(person: i64) -> Access {
    let grant = Grant { read: Reach::Team, create: true, update: Reach::Team, ..Grant::default() };
    let mut role = Role { name: "Team".to_owned(), other: grant, ..Role::default() };
    for object in ["pipeline", "stage"] {
        role.objects.insert(object.to_owned(), Grant { read: Reach::All, ..Grant::default() });
    }
    Access::for_measuring(Id(person), teams_of(person).map(Id).to_vec(), role)
}

/// Somebody who reaches everything.
pub(super) fn administrator() -> Access {
    Access::for_measuring(Id(1), Vec::new(), Role::administrator())
}
