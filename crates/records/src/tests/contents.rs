//! Contents of files: taken in, read by whoever may, kept as long as anything names them.

use std::{
    fs, io,
    io::{Cursor, Read},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serde_json::{Value, json};

use super::{create, everything, fields, know, made, on_both, person, set_clock};
use crate::{
    Access, Desk, Edit, Grant, Id, ListQuery, Reach, Record, RecordsError, Role, Swept, Verb, back_up,
    contents::is_hash, missing_contents,
};

/// So late that everything on the disk is old.
const LATE: i64 = 100 * 365 * rapport_types::DAY_MS;
const LIMIT: u64 = 1_000;

fn with_files(case: impl Fn(&Desk, &Path)) {
    on_both(|desk| {
        let folder = tempfile::tempdir().unwrap();
        desk.set_files(folder.path()).unwrap();
        case(desk, folder.path());
    });
}

fn upload(desk: &Desk, access: &Access, about: Value, content: &[u8]) -> Result<Record, RecordsError> {
    desk.upload_file(access, &fields(about), &mut Cursor::new(content), LIMIT).map(Option::unwrap)
}

fn read(desk: &Desk, access: &Access, id: Id) -> Result<Vec<u8>, RecordsError> {
    let mut bytes = Vec::new();
    desk.file_content(access, id)?.file.read_to_end(&mut bytes).unwrap();
    Ok(bytes)
}

/// What lies in the folder, without the folders themselves.
fn on_disk(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .flat_map(|path| fs::read_dir(path).unwrap())
        .map(|entry| entry.unwrap().path().strip_prefix(folder).unwrap().to_owned())
        .collect();
    found.sort();
    found
}

#[test]
fn a_content_is_kept_once_under_what_it_is() {
    with_files(|desk, folder| {
        let access = everything();
        let ann = made(desk, &access, "contact", json!({"name": "Ann"}));
        let one = upload(desk, &access, json!({"name": "../a.html", "contact": ann.id}), b"<b>abc</b>").unwrap();
        // SHA-256, as any tool computes it.
        assert_eq!(one.fields["hash"], "4042d64ebe4171e7956b8d69dfc0ab953e68f35c6278ddd15624ccfd68433470");
        assert_eq!((&one.fields["size"], &one.fields["media_type"]), (&json!(10), &json!("text/plain")));
        assert_eq!(one.fields["contact"], json!(ann.id));
        let other = upload(desk, &access, json!({"name": "b"}), b"<b>abc</b>").unwrap();
        assert_eq!(one.fields["hash"], other.fields["hash"]);
        let held = one.fields["hash"].as_str().unwrap();
        assert_eq!(on_disk(folder), [Path::new(&held[..2]).join(held)]);
        assert_eq!(read(desk, &access, other.id).unwrap(), b"<b>abc</b>");
        let empty = upload(desk, &access, json!({"name": "empty"}), b"").unwrap();
        let of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!((&empty.fields["hash"], &empty.fields["size"]), (&json!(of_nothing), &json!(0)));
        assert_eq!(read(desk, &access, empty.id).unwrap(), b"");
        // A record without a content says so.
        let bare = made(desk, &access, "file", json!({"name": "bare"}));
        assert!(matches!(read(desk, &access, bare.id), Err(RecordsError::NotFound(_))));
    });
}

/// A sender that goes away in the middle.
struct Broken(Cursor<Vec<u8>>);

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
            read => Ok(read),
        }
    }
}

#[test]
fn what_is_refused_or_does_not_come_whole_leaves_nothing() {
    with_files(|desk, folder| {
        let access = everything();
        let about = fields(json!({"name": "a"}));
        let large = desk.upload_file(&access, &about, &mut Cursor::new(vec![b'x'; 1_001]), LIMIT);
        assert!(matches!(large, Err(RecordsError::Limit(_))), "{large:?}");
        let broken = desk.upload_file(&access, &about, &mut Broken(Cursor::new(b"half".to_vec())), LIMIT);
        assert!(matches!(broken, Err(RecordsError::File(_))), "{broken:?}");
        assert!(upload(desk, &access, json!({"name": "a", "contact": Id(7)}), b"x").is_err(), "no such contact");
        assert!(upload(desk, &access, json!({"name": "a\nb"}), b"x").is_err());
        assert_eq!(on_disk(folder), <[PathBuf; 0]>::default());
        assert_eq!(desk.count(&access, "file", None).unwrap(), 0);
        assert!(upload(desk, &access, json!({"name": "a"}), &[b'x'; 1_000]).is_ok(), "as much as may be");
    });
}

#[test]
fn nobody_says_by_hand_what_is_in_a_file() {
    with_files(|desk, _| {
        let access = everything();
        let secret = upload(desk, &access, json!({"name": "secret"}), b"secret").unwrap();
        for field in ["hash", "size", "media_type"] {
            let value = secret.fields[field].clone();
            let refused = desk.edit(&access, "file", &[create(json!({"name": "mine", field: value}))], None);
            assert!(matches!(&refused, Err(RecordsError::Invalid { field: told, .. }) if told == field), "{refused:?}");
            let edit = Edit::Update { id: secret.id, fields: fields(json!({ field: null })), version: None };
            assert!(desk.edit(&access, "file", &[edit], None).is_err());
            assert!(upload(desk, &access, json!({"name": "a", field: "x"}), b"x").is_err());
        }
        // A merge leaves each its own.
        let other = upload(desk, &access, json!({"name": "other"}), b"other").unwrap();
        let merged = desk.merge(&access, "file", secret.id, other.id, &fields(json!({"name": "both"}))).unwrap();
        assert_eq!(merged.record.fields["hash"], secret.fields["hash"]);
    });
}

#[test]
fn a_content_is_for_those_who_may_read_its_record() {
    with_files(|desk, _| {
        know(desk, &[5, 6], &[]);
        let own = Grant { read: Reach::Own, create: true, update: Reach::Own, ..Grant::default() };
        let role = |grant: Grant| Role { objects: [("file".to_owned(), grant)].into(), ..Role::default() };
        let (ann, bob) = (person(5, &[], role(own.clone())), person(6, &[], role(own.clone())));
        let file = upload(desk, &ann, json!({"name": "a"}), b"mine").unwrap();
        assert_eq!(read(desk, &ann, file.id).unwrap(), b"mine");
        assert!(matches!(read(desk, &bob, file.id), Err(RecordsError::NotFound(_))));
        let replaced = desk.replace_content(&bob, file.id, None, &mut Cursor::new(b"his"), LIMIT);
        assert!(matches!(replaced, Err(RecordsError::NotFound(_))), "{replaced:?}");
        let blind = person(5, &[], role(Grant { hidden: vec!["hash".to_owned()], ..own.clone() }));
        assert!(matches!(read(desk, &blind, file.id), Err(RecordsError::Forbidden(_))));
        let reader = person(5, &[], role(Grant { create: false, update: Reach::None, ..own }));
        assert!(matches!(upload(desk, &reader, json!({"name": "b"}), b"x"), Err(RecordsError::Forbidden(_))));
        let replaced = desk.replace_content(&reader, file.id, None, &mut Cursor::new(b"his"), LIMIT);
        assert!(matches!(replaced, Err(RecordsError::Forbidden(_))), "{replaced:?}");
        assert!(!reader.may(Verb::Create, "file"));
    });
}

#[test]
fn contents_go_when_nothing_names_them_and_not_before() {
    with_files(|desk, folder| {
        let access = everything();
        let file = upload(desk, &access, json!({"name": "a"}), b"first").unwrap();
        let stale = desk.replace_content(&access, file.id, Some(7), &mut Cursor::new(b"second"), LIMIT);
        assert!(matches!(stale, Err(RecordsError::Stale { .. })), "{stale:?}");
        let second =
            desk.replace_content(&access, file.id, Some(1), &mut Cursor::new(b"second"), LIMIT).unwrap().unwrap();
        assert_eq!((second.version, read(desk, &access, file.id).unwrap()), (2, b"second".to_vec()));
        fs::write(folder.join("new").join("left"), "by a kill").unwrap();
        fs::create_dir_all(folder.join("imports")).unwrap();
        fs::write(folder.join("imports").join("one"), "no content").unwrap();
        let names = |count: usize| assert_eq!(on_disk(folder).len(), count, "{:?}", on_disk(folder));
        names(4);
        assert_eq!(desk.sweep_files().unwrap().files, 0, "what has just come is left alone");
        set_clock(LATE);
        let swept = desk.sweep_files().unwrap();
        assert_eq!((swept.files, swept.bytes), (2, 5 + 9), "the first content, and what was left");
        names(2);
        // In the trash it is still somebody's.
        desk.edit(&access, "file", &[Edit::Delete { id: file.id, version: None }], None).unwrap();
        assert_eq!(desk.sweep_files().unwrap().files, 0);
        assert_eq!(read(desk, &access, file.id).unwrap(), b"second");
        assert_eq!(desk.empty_trash(&access, "file").unwrap(), 1);
        assert!(matches!(read(desk, &access, file.id), Err(RecordsError::NotFound(_))));
        assert_eq!(desk.sweep_files().unwrap().files, 1);
        names(1);
    });
}

#[test]
fn a_database_that_does_not_know_the_contents_of_a_folder_removes_none() {
    with_files(|desk, folder| {
        let access = everything();
        let other = tempfile::tempdir().unwrap();
        let other = Desk::open_file(&other.path().join("records.db"), || super::CLOCK.get()).unwrap();
        // Without contents the folder is whose it was opened last.
        other.set_files(folder).unwrap();
        desk.set_files(folder).unwrap();
        let file = upload(desk, &access, json!({"name": "a"}), b"kept").unwrap();
        other.set_files(folder).unwrap();
        set_clock(LATE);
        assert_eq!(other.sweep_files().unwrap(), Swept::default());
        assert_eq!(read(desk, &access, file.id).unwrap(), b"kept");
        // Whose it is sweeps, but not while everything is being read.
        desk.edit(&access, "file", &[Edit::Delete { id: file.id, version: None }], None).unwrap();
        desk.empty_trash(&access, "file").unwrap();
        let held = crate::contents::owner::hold(folder).unwrap();
        assert!(held.is_some());
        assert_eq!(desk.sweep_files().unwrap(), Swept::default());
        drop(held);
        assert_eq!(desk.sweep_files().unwrap().files, 1);
        // A folder that has lost its id is left alone, too.
        upload(desk, &access, json!({"name": "b"}), b"stays").unwrap();
        fs::remove_file(folder.join("installation")).unwrap();
        desk.set_files(folder).unwrap();
        assert_eq!(desk.sweep_files().unwrap(), Swept::default());
    });
}

#[test]
fn uploads_and_sweeps_do_not_harm_one_another() {
    with_files(|desk, _| {
        let access = everything();
        // Everything is old to this sweep, so that each content is in danger until its record names it.
        let late = SystemTime::now() + Duration::from_hours(1);
        std::thread::scope(|scope| {
            let uploads = scope.spawn(|| {
                let turn = |turn: u32| {
                    let file = upload(desk, &everything(), json!({"name": "same"}), b"same").unwrap();
                    let gone =
                        upload(desk, &everything(), json!({"name": "own"}), turn.to_string().as_bytes()).unwrap();
                    [(file.id, b"same".to_vec()), (gone.id, turn.to_string().into_bytes())]
                };
                (0..40).flat_map(turn).collect::<Vec<_>>()
            });
            while !uploads.is_finished() {
                desk.sweep_contents(late, &mut Swept::default()).unwrap();
            }
            for (id, content) in uploads.join().unwrap() {
                assert_eq!(read(desk, &access, id).unwrap(), content);
            }
        });
    });
}

#[test]
fn an_emptied_trash_holds_nothing_that_the_caller_may_delete() {
    with_files(|desk, _| {
        know(desk, &[5, 6], &[]);
        let access = everything();
        let give =
            |name: &str, owner: i64| made(desk, &access, "contact", json!({"name": name, "owner": Id(owner)})).id;
        let (mine, his, kept) = (give("mine", 5), give("his", 6), give("kept", 5));
        let deal = made(desk, &access, "deal", json!({"name": "d", "contact": mine, "contacts": [mine, kept]}));
        let edits = [mine, his].map(|id| Edit::Delete { id, version: None });
        desk.edit(&access, "contact", &edits, None).unwrap();
        let grant = Grant { read: Reach::All, delete: Reach::Own, ..Grant::default() };
        let ann = person(5, &[], Role { objects: [("contact".to_owned(), grant)].into(), ..Role::default() });
        assert_eq!(desk.empty_trash(&ann, "contact").unwrap(), 1);
        let trash = ListQuery { trash: true, limit: 5, ..ListQuery::default() };
        let left = desk.list(&access, "contact", &trash).unwrap().records;
        assert_eq!(left.iter().map(|record| record.id).collect::<Vec<_>>(), [his]);
        assert!(desk.get(&access, "contact", mine).is_err() && desk.get(&access, "contact", kept).is_ok());
        let deal = desk.get(&access, "deal", deal.id).unwrap();
        assert_eq!((&deal.fields["contacts"], deal.fields.get("contact")), (&json!([kept]), None));
        let audit = desk.audit(&access, &crate::AuditQuery { limit: 1, ..Default::default() }).unwrap();
        assert_eq!(
            (audit[0].op, audit[0].record, audit[0].actor.as_str()),
            (crate::Op::Purge, mine, "user:0000000000005")
        );
        assert!(matches!(desk.empty_trash(&ann, "deal"), Err(RecordsError::Forbidden(_))));
        let restored = desk.edit(&access, "contact", &[Edit::Restore { id: mine }], None);
        assert!(matches!(restored, Err(RecordsError::NotFound(_))), "nothing brings it back: {restored:?}");
    });
}

#[test]
fn a_backup_knows_which_contents_are_missing() {
    with_files(|desk, folder| {
        let access = everything();
        let file = upload(desk, &access, json!({"name": "a"}), b"first").unwrap();
        upload(desk, &access, json!({"name": "b"}), b"second").unwrap();
        let copy = folder.join("copy.db");
        back_up(&desk.database, &copy).unwrap();
        assert_eq!(missing_contents(&copy, folder).unwrap(), [""; 0]);
        let hash = file.fields["hash"].as_str().unwrap();
        assert!(is_hash(hash) && !is_hash("../x") && !is_hash(&hash.to_uppercase()));
        fs::remove_file(folder.join(&hash[..2]).join(hash)).unwrap();
        assert_eq!(missing_contents(&copy, folder).unwrap(), [hash]);
        assert!(matches!(read(desk, &access, file.id), Err(RecordsError::Damaged { .. })));
    });
}
