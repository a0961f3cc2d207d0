//! Search as its users see it: tables of records, queries and the ids that must come, in order.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test as the tests themselves do")]

use std::borrow::Cow;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use rapport_records::search::{Change, Document, Hit, Query, Reach, SearchIndex};

fn contact<'a>(id: i64, title: &'a str, texts: &[&'a str]) -> Document<'a> {
    Document {
        object: "contact",
        id,
        title,
        texts: texts.iter().map(|text| Cow::Borrowed(*text)).collect(),
        owner: None,
        team: None,
    }
}

fn put<'a>(documents: impl IntoIterator<Item = Document<'a>>) -> Vec<Change<'a>> {
    documents.into_iter().map(Change::Put).collect()
}

fn everything() -> [(&'static str, Reach); 2] {
    [("contact", Reach::All), ("company", Reach::All)]
}

fn hits(index: &SearchIndex, text: &str) -> Vec<Hit> {
    index.search(&Query { text, objects: &everything(), limit: 20, offset: 0 }).unwrap()
}

fn ids(index: &SearchIndex, text: &str) -> Vec<i64> {
    hits(index, text).into_iter().map(|hit| hit.id).collect()
}

/// An index of `documents`, and what must come for each query.
fn check(documents: &[Document<'_>], cases: &[(&str, &[i64])]) {
    let folder = tempfile::tempdir().unwrap();
    let index = SearchIndex::open(folder.path()).unwrap();
    index.apply(&put(documents.iter().cloned()), 1).unwrap();
    for (query, expected) in cases {
        assert_eq!(ids(&index, query), *expected, "{query:?}");
    }
}

#[test]
fn words_as_they_are_before_beginnings_before_errors_and_the_title_first() {
    check(
        &[
            contact(1, "Ann Smith", &[]),
            contact(2, "Ann Smithson", &[]),
            contact(3, "Ann Smyth", &[]),
            contact(4, "Bob Jones", &["assistant of Ann Smith"]),
            contact(5, "Carl Weber", &["Smithsonian, Ann's office"]),
            contact(6, "Ann Smith", &[]),
        ],
        &[
            ("smith", &[6, 1, 4, 2, 5, 3]),
            ("ann smith", &[6, 1, 4, 2, 5, 3]),
            ("Smith ANN", &[6, 1, 4, 3]),
            ("smiht", &[6, 1, 4]),
            ("smithso", &[2, 5]),
            ("smithsonain", &[5]),
            ("sm", &[6, 3, 2, 1, 5, 4]),
            ("xyz", &[]),
        ],
    );
}

#[test]
fn typing_errors_by_the_length_of_the_word() {
    check(
        &[
            contact(1, "Christopher Nguyen", &[]),
            contact(2, "Anna Lee", &[]),
            contact(3, "Müller Straße", &[]),
            contact(4, "Room 4711", &["B2B 2048"]),
        ],
        &[
            ("christopher", &[1]),
            ("christohper", &[1]),
            ("chirstohper", &[1]),
            ("cristofer", &[]),
            ("nguyne", &[1]),
            ("ngyuen", &[1]),
            ("ana", &[]),
            ("anan", &[2]),
            ("lea", &[]),
            ("mueller", &[3]),
            ("muller strasse", &[3]),
            ("4712", &[]),
            ("4711", &[4]),
            ("b2c", &[]),
            ("2049", &[]),
        ],
    );
}

#[test]
fn accents_width_and_case_do_not_matter() {
    check(
        &[
            contact(1, "José Álvarez", &[]),
            contact(2, "Łukasz Søgaard", &[]),
            contact(3, "Ｓｏｎｙ　１００", &[]),
            contact(4, "Жанна Ёлкина", &[]),
            contact(5, "O’Brien", &[]),
            contact(6, "Jean-Claude", &[]),
            contact(7, "AT&T", &[]),
            contact(8, "OBrien", &[]),
        ],
        &[
            ("jose alvarez", &[1]),
            ("JOSÉ", &[1]),
            ("lukasz sogaard", &[2]),
            ("sony 100", &[3]),
            ("ｓｏｎｙ", &[3]),
            ("жанна елкина", &[4]),
            ("o'brien", &[8, 5]),
            ("obrien", &[8, 5]),
            ("jeanclaude", &[6]),
            ("jean claude", &[6]),
            ("at&t", &[7]),
        ],
    );
}

#[test]
fn chinese_japanese_and_korean_by_one_and_two_characters() {
    check(
        &[
            contact(1, "张伟明", &["北京市朝阳区"]),
            contact(2, "张伟", &["上海华为技术有限公司"]),
            contact(3, "李张", &[]),
            contact(4, "王芳", &["联系人：张伟"]),
            contact(5, "田中さくら", &["トヨタ自動車"]),
            contact(6, "김민수", &["삼성전자"]),
            contact(7, "iPhone手机", &[]),
        ],
        &[
            ("张伟", &[2, 4, 1]),
            ("张", &[3, 2, 1, 4]),
            ("张伟明", &[1]),
            ("伟明", &[1]),
            ("华为", &[2]),
            ("华为技术有限公司", &[2]),
            ("华为公司", &[2]),
            ("北京 张", &[1]),
            ("张伟 上海", &[2]),
            ("さくら", &[5]),
            ("ﾄﾖﾀ", &[5]),
            ("민수", &[6]),
            ("手机", &[7]),
            ("iphone", &[7]),
            ("张三", &[]),
        ],
    );
}

#[test]
fn addresses_whole_by_their_sides_and_by_parts() {
    check(
        &[
            contact(1, "A", &["john.smith@acme.com"]),
            contact(2, "B", &["john@acme.com", "https://www.beta.org/shop"]),
            contact(3, "C", &["mary.smith@acme.de"]),
            contact(4, "D", &["13812345678@qq.com"]),
        ],
        &[
            ("john.smith@acme.com", &[1]),
            ("John.Smith@ACME.com", &[1]),
            ("john.smith@", &[1]),
            ("john.smith", &[1]),
            ("@acme.com", &[2, 1]),
            ("acme.com", &[2, 1]),
            ("acme", &[3, 2, 1]),
            ("smith acme", &[3, 1]),
            ("john.smith@amce.com", &[1]),
            ("john.sm", &[1]),
            ("beta.org", &[2]),
            ("13812345678", &[4]),
            ("<john@acme.com>", &[2]),
        ],
    );
}

#[test]
fn phone_numbers_by_their_digits_however_they_are_written() {
    check(
        &[
            contact(1, "A", &["+1 (555) 123-4567"]),
            contact(2, "B", &["0171/9876543"]),
            contact(3, "C", &["+49 (0)171 9876543"]),
            contact(4, "D", &["138 1234 5678"]),
            contact(5, "E", &["order 10023 20045 of 2024-01-15"]),
        ],
        &[
            ("+15551234567", &[1]),
            ("15551234567", &[1]),
            ("(555) 123-4567", &[1]),
            ("555.123.4567", &[1]),
            ("1234567", &[1]),
            ("4567", &[1]),
            ("+1 555", &[1]),
            ("01719876543", &[2, 3]),
            ("+491719876543", &[3, 2]),
            ("0049 171 9876543", &[3, 2]),
            ("13812345678", &[4]),
            ("+86 138 1234 5678", &[4]),
            ("5678", &[4]),
            ("1234568", &[]),
            ("order 10023", &[5]),
            ("20045", &[5]),
            ("2024", &[5]),
        ],
    );
}

#[test]
fn the_best_partial_matches_when_no_record_has_all_words() {
    check(
        &[
            contact(1, "Anna Berg", &["Acme"]),
            contact(2, "Anna Winter", &["Acme"]),
            contact(3, "Anna Winter", &["Beta"]),
            contact(4, "Otto Winter", &["Gamma"]),
        ],
        &[
            ("anna winter acme", &[2]),
            ("anna winter gamma", &[4, 3, 2, 1]),
            ("anna zzzz", &[3, 2, 1]),
            ("gamma zzzz", &[4]),
            ("zzzz yyyy", &[]),
        ],
    );
}

#[test]
fn a_reader_finds_what_they_may_see_and_is_not_starved_by_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let index = SearchIndex::open(folder.path()).unwrap();
    let owned = |id, owner, team| Document { owner, team, ..contact(id, "Smith", &[]) };
    let mut documents: Vec<_> = (100..400).map(|id| owned(id, Some(1), Some(1))).collect();
    documents.extend([owned(1, Some(7), Some(3)), owned(2, Some(8), Some(3)), owned(3, Some(8), Some(4))]);
    documents.extend([owned(4, None, None), Document { object: "company", ..owned(5, Some(8), None) }]);
    index.apply(&put(documents), 1).unwrap();
    let find = |objects: &[(&str, Reach)]| {
        let query = Query { text: "smith", objects, limit: 10, offset: 0 };
        index.search(&query).unwrap().into_iter().map(|hit| hit.id).collect::<Vec<_>>()
    };
    assert_eq!(find(&[("contact", Reach::Own { user: 7 })]), [1]);
    assert_eq!(find(&[("contact", Reach::Team { user: 7, teams: vec![4] })]), [3, 1]);
    assert_eq!(find(&[("contact", Reach::Team { user: 8, teams: vec![] })]), [3, 2]);
    assert_eq!(find(&[("contact", Reach::Own { user: 7 }), ("company", Reach::All)]), [5, 1]);
    assert_eq!(find(&[("company", Reach::Own { user: 7 })]), [0; 0]);
    assert_eq!(find(&[("contact", Reach::All)]), (390..400).rev().collect::<Vec<_>>());
    assert_eq!(find(&[]), [0; 0]);
}

#[test]
fn pages_follow_one_another() {
    let folder = tempfile::tempdir().unwrap();
    let index = SearchIndex::open(folder.path()).unwrap();
    index.apply(&put((1..=25).map(|id| contact(id, "Smith", &[]))), 1).unwrap();
    let page = |offset| {
        let query = Query { text: "smith", objects: &everything(), limit: 10, offset };
        index.search(&query).unwrap().into_iter().map(|hit| hit.id).collect::<Vec<_>>()
    };
    let pages: Vec<i64> = [0, 10, 20, 30].into_iter().flat_map(page).collect();
    assert_eq!(pages, (1..=25).rev().collect::<Vec<_>>());
    let everything = everything();
    let endless = Query { text: "smith", objects: &everything, limit: usize::MAX, offset: usize::MAX };
    assert_eq!(index.search(&endless).unwrap(), []);
}

#[test]
fn any_text_is_only_text() {
    let folder = tempfile::tempdir().unwrap();
    let index = SearchIndex::open(folder.path()).unwrap();
    index.apply(&put([contact(1, "Smith AND Sons", &["50% off"]), contact(2, "Smith", &[])]), 1).unwrap();
    let long = "smith ".repeat(2_000);
    let spaces = format!("{}smith", " ".repeat(10_000));
    let cases: [(&str, &[i64]); 16] = [
        ("", &[]),
        ("   ", &[]),
        ("\"", &[]),
        ("smith\"", &[2, 1]),
        ("smith AND", &[1]),
        ("title:smith", &[2, 1]),
        ("(smith", &[2, 1]),
        ("+smith -sons", &[1]),
        ("smith*", &[2, 1]),
        ("smith\u{0}\u{1b}[31m", &[2, 1]),
        ("🙂 smith 🙂", &[2, 1]),
        ("'; DROP TABLE contact; --", &[]),
        ("@", &[]),
        ("+", &[]),
        (&long, &[2, 1]),
        (&spaces, &[]),
    ];
    for (query, expected) in cases {
        let found: Vec<i64> =
            ids(&index, query).into_iter().filter(|id| expected.contains(id) || expected.is_empty()).collect();
        assert_eq!(found, expected, "{query:?}");
    }
    for hostile in [
        "\u{fdfa}".repeat(300),
        "1 ".repeat(500),
        "张".repeat(500),
        "q-".repeat(500),
        "@.".repeat(500),
        "\u{301}".repeat(500),
    ] {
        assert_eq!(ids(&index, &hostile), [0; 0], "{hostile:?}");
        index.apply(&put([contact(3, &hostile.repeat(40), &[&hostile])]), 2).unwrap();
        index.apply(&[Change::Remove { object: "contact", id: 3 }], 3).unwrap();
    }
}

#[test]
fn a_change_replaces_and_a_removal_removes() {
    let folder = tempfile::tempdir().unwrap();
    let index = SearchIndex::open(folder.path()).unwrap();
    index.apply(&put([contact(1, "Smith", &[]), contact(2, "Smith", &[]), contact(1, "Jones", &[])]), 1).unwrap();
    assert_eq!(ids(&index, "smith"), [2]);
    assert_eq!(ids(&index, "jones"), [1]);
    let company = Document { object: "company", ..contact(2, "Smith", &[]) };
    let remove = Change::Remove { object: "contact", id: 2 };
    index.apply(&[Change::Put(company), remove.clone(), remove, Change::Put(contact(1, "Weber", &[]))], 2).unwrap();
    assert_eq!(
        hits(&index, "smith").into_iter().map(|hit| (hit.object, hit.id)).collect::<Vec<_>>(),
        [("company".to_owned(), 2)]
    );
    assert_eq!(ids(&index, "jones"), [0; 0]);
    assert_eq!(ids(&index, "weber"), [1]);
}

#[test]
fn the_position_is_that_of_what_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let index = SearchIndex::open(folder.path()).unwrap();
    assert_eq!(index.position(), None);
    index.apply(&put([contact(1, "Smith", &[])]), 10).unwrap();
    index.apply(&[], 11).unwrap();
    // Not closed in order: the writer is dropped with all it holds, as when the process is killed.
    drop(index);
    let index = SearchIndex::open(folder.path()).unwrap();
    assert_eq!((index.position(), ids(&index, "smith")), (Some(11), vec![1]));
    index.apply(&put([contact(1, "Jones", &[]), contact(2, "Smith", &[])]), 12).unwrap();
    index.rest().unwrap();
    index.apply(&put([contact(3, "Smith", &[])]), 13).unwrap();
    drop(index);
    let index = SearchIndex::open(folder.path()).unwrap();
    assert_eq!((index.position(), ids(&index, "smith")), (Some(13), vec![3, 2]));
    index.clear().unwrap();
    assert_eq!((index.position(), ids(&index, "smith")), (None, vec![]));
    drop(index);
    assert_eq!(SearchIndex::open(folder.path()).unwrap().position(), None);
}

/// Feeds contact after contact, and says each position when it is durable, until it is killed.
fn feed_endlessly(folder: &Path) {
    let index = SearchIndex::open(folder).unwrap();
    let first = index.position().map_or(1, |position| position + 1);
    let mut told = std::io::stdout();
    for position in first..first + 1_000 {
        index.apply(&put([contact(position, "Smith", &[])]), position).unwrap();
        writeln!(told, "durable {position}").unwrap();
    }
}

#[test]
fn a_killed_feeder_leaves_what_its_position_says() {
    const FOLDER: &str = "SEARCH_TEST_FOLDER";
    if let Some(folder) = std::env::var_os(FOLDER) {
        return feed_endlessly(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        let mut feeder = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_killed_feeder_leaves_what_its_position_says", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(feeder.stdout.take().unwrap()).lines().map(Result::unwrap);
        let durable = lines.filter_map(|line| line.rsplit_once("durable ").map(|(_, at)| at.parse::<i64>().unwrap()));
        let told = durable.take(3).last().unwrap();
        // SIGKILL, in the middle of whatever it does.
        feeder.kill().unwrap();
        feeder.wait().unwrap();
        let index = SearchIndex::open(folder.path()).unwrap();
        let position = index.position().unwrap();
        assert!(position >= told, "{position} is before {told}, which was durable");
        assert_eq!(ids(&index, "smith"), (1..=position).rev().take(20).collect::<Vec<_>>());
    }
}

/// The files of the folder that hold segments.
fn segment_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|kind| kind != "json" && kind != "lock")).collect();
    files.sort();
    files
}

#[test]
fn what_is_damaged_or_of_another_version_is_made_anew() {
    let sound = tempfile::tempdir().unwrap();
    let index = SearchIndex::open(sound.path()).unwrap();
    index.apply(&put((1..200).map(|id| contact(id, "Smith", &["Acme"]))), 5).unwrap();
    drop(index);
    let files = segment_files(sound.path());
    assert!(files.len() > 2, "{files:?}");
    let damage = |what: &dyn Fn(&Path)| {
        let copy = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(sound.path()).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
        what(copy.path());
        let index = SearchIndex::open(copy.path()).unwrap();
        let was = index.position();
        index.apply(&put([contact(1_000, "Jones", &[])]), 6).unwrap();
        assert_eq!(ids(&index, "jones"), [1_000]);
        assert_eq!(index.position(), Some(6));
        was
    };
    assert_eq!(damage(&|_| {}), Some(5));
    for file in &files {
        let name = file.file_name().unwrap();
        let flipped = damage(&|folder| {
            let mut bytes = fs::read(folder.join(name)).unwrap();
            bytes[0] ^= 1;
            fs::write(folder.join(name), bytes).unwrap();
        });
        assert_eq!(flipped, None, "{name:?} with a flipped bit");
        let cut = damage(&|folder| {
            let bytes = fs::read(folder.join(name)).unwrap();
            fs::write(folder.join(name), &bytes[..bytes.len() / 2]).unwrap();
        });
        assert_eq!(cut, None, "{name:?} cut");
        assert_eq!(damage(&|folder| fs::remove_file(folder.join(name)).unwrap()), None, "{name:?} removed");
    }
    let version = damage(&|folder| {
        let meta = fs::read_to_string(folder.join("meta.json")).unwrap();
        let other = meta.replace("\\\"format\\\":1", "\\\"format\\\":999");
        assert_ne!(meta, other);
        fs::write(folder.join("meta.json"), other).unwrap();
    });
    assert_eq!(version, None);
    assert_eq!(damage(&|folder| fs::write(folder.join("meta.json"), "{").unwrap()), None);
}
