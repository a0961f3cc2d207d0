//! The thread over records in a file and a log in memory, stopped as the server stops it and started again.

use rapport_records::{Access, Edit, Fields, ListQuery, Record};
use rapport_store::SqliteStore;
use rapport_stream::MemoryLog;
use rapport_types::Timestamp;
use serde_json::json;

use super::*;
use crate::credentials::Credentials;

struct World {
    desk: Arc<Desk>,
    log: Arc<dyn Log>,
    access: Access,
    _folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let desk = Desk::open_file(&folder.path().join("records.db"), || Timestamp(1)).unwrap();
        desk.set_files(&folder.path().join("files")).unwrap();
        desk.open_search(&folder.path().join("search")).unwrap();
        let store = SqliteStore::open(folder.path()).unwrap();
        let key = Credentials::renew(folder.path(), &store, &desk).unwrap().api_key;
        let access = desk.access_of_key(&key).unwrap().unwrap();
        Self { desk: Arc::new(desk), log: Arc::new(MemoryLog::new(2).unwrap()), access, _folder: folder }
    }

    fn start(&self) -> Followers {
        Followers::start(Arc::clone(&self.desk), Arc::clone(&self.log), 0).unwrap()
    }

    fn append(&self, partition: u32, event: Event) {
        self.log.append(Append::one(PartitionId(partition), Entry::Event(event).encode())).unwrap().wait().unwrap();
    }

    /// Runs the thread until it has taken what the second partition's log ends with now, which must name somebody so that the place
    /// is kept, and stops it. By then the first partition was read as well.
    fn follow(&self) {
        let end = self.log.end(PartitionId(1)).0;
        let (followers, begun) = (self.start(), Instant::now());
        let mut seen = self.desk.changes_seen();
        while self.desk.identities_position(1).unwrap() < end {
            assert!(begun.elapsed() < Duration::from_mins(1), "the log is not read to its end");
            seen = self.desk.wait_for_change(seen, LOOK_EVERY);
        }
        drop(followers);
    }

    fn contact(&self, customer: &str) -> Record {
        let only = Some(("customer_id".to_owned(), json!(customer)));
        let query = ListQuery { only, limit: 2, ..ListQuery::default() };
        let mut page = self.desk.list(&self.access, "contact", &query).unwrap();
        assert_eq!(page.records.len(), 1, "{customer}");
        page.records.remove(0)
    }

    fn name(&self, customer: &str) -> serde_json::Value {
        self.contact(customer).fields["name"].clone()
    }
}

fn said(n: u32, customer: &str, name: Option<&str>) -> Event {
    let fields = name.map(|name| ("name".to_owned(), json!(name))).into_iter().collect();
    let at = Timestamp(i64::from(n));
    let name = name.is_none().then(|| "Product Viewed".to_owned());
    Event { source: SourceId(1), ..event(Happened { seq: n.into(), customer: customer.to_owned(), at, name, fields }) }
}

#[test]
fn an_orderly_stop_keeps_how_far_the_log_was_read() {
    let world = World::new();
    // What names nobody is not worth keeping the place for, until the end.
    (0..5).for_each(|n| world.append(0, said(n, "ann", None)));
    world.append(1, said(9, "bob", Some("Bob")));
    world.follow();
    assert_eq!(world.desk.identities_position(0).unwrap(), 5);
    assert_eq!(world.name("bob"), "Bob");
}

#[test]
fn after_a_stop_nothing_is_taken_twice_and_nothing_is_left_out() {
    let world = World::new();
    world.append(0, said(1, "ann", Some("Ann")));
    world.append(1, said(2, "bob", Some("Bob")));
    world.follow();
    // Who corrects a name does not want it back.
    for (customer, name) in [("ann", "Ann Lee"), ("bob", "Bob Ray")] {
        let fields = Fields::from_iter([("name".to_owned(), json!(name))]);
        let edit = Edit::Update { id: world.contact(customer).id, fields, version: None };
        world.desk.edit(&world.access, "contact", &[edit], None).unwrap();
    }
    world.append(0, said(3, "cleo", Some("Cleo")));
    world.append(1, said(4, "dan", Some("Dan")));
    world.follow();
    let names = ["ann", "bob", "cleo", "dan"].map(|customer| world.name(customer));
    assert_eq!(names, ["Ann Lee", "Bob Ray", "Cleo", "Dan"].map(|name| json!(name)));
    let changes = world.desk.newest_change().unwrap();
    world.append(1, said(5, "eve", Some("Eve")));
    world.follow();
    assert_eq!(world.desk.newest_change().unwrap(), changes + 1, "only Eve is new");
}
