//! A whole installation in which there is something to hide: people with every kind of role, and rows that are not theirs.
//!
//! It is made once; each test works on a copy of its files. Everything that belongs to somebody else has one of [`SECRETS`] in
//! it, and every field that a role does not see one of [`HIDDEN`], so that a leak is a text in an answer.

use std::{
    collections::BTreeMap,
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::Path,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicI64, Ordering},
    },
};

use axum::{body::Body, http::Request};
use rapport_records::{
    Access, Desk, Edit, Fields, Grant, Id, ListQuery, NewView, Reach, Role, Shared, Verb, ViewDefinition,
    import::Import,
    people::{Invitation, NewKey, Origin, SignedIn as Begun, UserChange},
    schema::Object,
};
use rapport_types::Timestamp;
use serde_json::{Value, json};

use crate::common::{Gate, NOW, Told, World};

/// Who asks, of those who are let in; in the order of the table's columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Caller {
    /// May do everything.
    Administrator,
    /// Reads and changes what belongs to them.
    Own,
    /// Reads and changes what belongs to their team.
    Team,
    /// Reads and changes records of which a condition is true.
    Condition,
    /// Reads and changes all records, and does not see some fields.
    Blind,
    /// Reads all records.
    Reader,
    /// Has no right to any object but pipelines.
    Stranger,
    /// A key of an administrator's role that reads only.
    ReadKey,
    /// A key for the own records of nobody.
    OtherKey,
}

pub const CALLERS: [Caller; 9] = [
    Caller::Administrator,
    Caller::Own,
    Caller::Team,
    Caller::Condition,
    Caller::Blind,
    Caller::Reader,
    Caller::Stranger,
    Caller::ReadKey,
    Caller::OtherKey,
];

/// Who asks and is let in nowhere.
pub const REFUSED: [&str; 4] = ["nobody", "an expired key", "somebody deactivated", "an ended session"];

/// Texts of rows that belong to others, in small letters.
pub const SECRETS: [&str; 3] = ["quorvath", "5550199", "7777777"];
/// Texts of fields that [`Caller::Blind`] does not see; the last is what a formula makes of the amount.
pub const HIDDEN: [&str; 4] = ["hiddenquo", "1911-11-11", "7777777", "777777.7"];

/// What the people are called who have a role of their own.
const PEOPLE: [(&str, Caller); 6] = [
    ("own", Caller::Own),
    ("team", Caller::Team),
    ("condition", Caller::Condition),
    ("blind", Caller::Blind),
    ("reader", Caller::Reader),
    ("stranger", Caller::Stranger),
];

static CLOCK: AtomicI64 = AtomicI64::new(NOW.0);

fn now() -> Timestamp {
    Timestamp(CLOCK.load(Ordering::SeqCst))
}

/// What all houses begin with.
struct Template {
    folder: tempfile::TempDir,
    names: BTreeMap<&'static str, String>,
    /// Ids of rows that belong to their callers, by object.
    own: BTreeMap<(Caller, String), String>,
    credentials: BTreeMap<Caller, (&'static str, String)>,
    refused: [Option<(&'static str, String)>; REFUSED.len()],
}

static TEMPLATE: LazyLock<Template> = LazyLock::new(template);

/// The ids of some rows of somebody else.
pub fn names_of(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| TEMPLATE.names[name].clone()).collect()
}

/// A copy of the installation, with a server over it.
pub struct House {
    pub desk: Arc<Desk>,
    pub world: World,
    folder: tempfile::TempDir,
}

fn fields(value: Value) -> Fields {
    let Value::Object(fields) = value else { panic!("{value} is no object") };
    fields
}

fn made(desk: &Desk, access: &Access, object: &str, value: Value) -> Id {
    let edit = Edit::Create { fields: fields(value) };
    desk.edit(access, object, &[edit], None).unwrap_or_else(|error| panic!("{object}: {error}")).records[0].id
}

/// An object that the organisation made.
fn vehicle() -> Object {
    let label = |text: &str| json!({ "en": text, "zh": text });
    let field = |name: &str, kind: &str| json!({ "name": name, "label": label(name), "kind": { "type": kind } });
    let object = json!({ "name": "vehicle", "label": label("Vehicle"), "plural": label("Vehicles"), "title": "name",
        "fields": [field("name", "text"), field("colour", "text"), field("seats", "number")] });
    serde_json::from_value(object).unwrap()
}

/// The role of each person.
fn role_of(caller: Caller) -> Role {
    let reaching = |reach: Reach| Grant {
        read: reach.clone(),
        create: true,
        update: reach.clone(),
        delete: reach,
        ..Grant::default()
    };
    let reading = Grant { read: Reach::All, ..Grant::default() };
    let mut role = Role { name: format!("Role {caller:?}"), transfer: true, ..Role::default() };
    for object in ["pipeline", "stage"] {
        role.objects.insert(object.to_owned(), reading.clone());
    }
    match caller {
        Caller::Own => role.other = reaching(Reach::Own),
        Caller::Team => role.other = reaching(Reach::Team),
        Caller::Condition => {
            role.other = reaching(Reach::Own);
            for object in ["contact", "company", "lead"] {
                role.objects.insert(object.to_owned(), reaching(Reach::Condition(r#"country == "NZ""#.to_owned())));
            }
        }
        Caller::Blind => {
            role.other = reaching(Reach::All);
            let hiding = |names: &[&str]| Grant {
                hidden: names.iter().map(|name| (*name).to_owned()).collect(),
                ..reaching(Reach::All)
            };
            role.objects.insert("contact".to_owned(), hiding(&["email", "other_emails", "birthday"]));
            role.objects.insert("deal".to_owned(), hiding(&["amount"]));
        }
        Caller::Reader => role = Role { name: role.name, ..Role::reader() },
        _ => role.transfer = false,
    }
    role
}

fn begin(desk: &Desk, administrator: &Access, email: &str, role: Id, teams: &[Id]) -> Begun {
    let invitation = Invitation { email: email.to_owned(), role, teams: teams.to_vec() };
    let (_, token) = desk.invite(administrator, &invitation).unwrap();
    let origin = Origin::default();
    desk.accept(token.reveal(), "Somebody", "plum tractor nine", &origin).unwrap().unwrap()
}

fn access_of(desk: &Desk, begun: &Begun) -> Access {
    desk.access_of_session(begun.secret.reveal()).unwrap().unwrap().0
}

fn template() -> Template {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open_file(&folder.path().join("records.db"), now).unwrap();
    desk.set_sealing_key(rapport_records::people::SealingKey::of([7; 32])).unwrap();
    desk.set_files(&folder.path().join("files")).unwrap();
    let (mut names, mut own) = (BTreeMap::new(), BTreeMap::new());
    let mut credentials = BTreeMap::new();
    let cookie = |begun: &Begun| ("cookie", format!("rapport_session={}", begun.secret.reveal()));
    let token = desk.administrator_link().unwrap();
    let begun = desk.sign_in_by_link(token.reveal(), &Origin::default()).unwrap().unwrap();
    let administrator = access_of(&desk, &begun);
    names.insert("session", begun.session.id.to_string());
    names.insert("user", administrator.user().unwrap().to_string());
    credentials.insert(Caller::Administrator, cookie(&begun));
    desk.define(&administrator, vehicle()).unwrap();
    let (theirs, others) =
        (desk.add_team(&administrator, "South").unwrap(), desk.add_team(&administrator, "North").unwrap());
    names.insert("team", others.to_string());
    let mut own_role = Id(0);
    for (name, caller) in PEOPLE {
        let role = desk.add_role(&administrator, &role_of(caller)).unwrap();
        own_role = if caller == Caller::Own { role } else { own_role };
        names.insert("role", role.to_string());
        let teams: &[Id] = if caller == Caller::Team { &[theirs] } else { &[] };
        let begun = begin(&desk, &administrator, &format!("{name}@example.com"), role, teams);
        give_own_rows(&desk, caller, &access_of(&desk, &begun), &mut own);
        credentials.insert(caller, cookie(&begun));
    }
    let key = |name: &str, role: Id, read_only: bool, ends_at: Option<Timestamp>| {
        let wanted = NewKey { name: name.to_owned(), role, person: None, read_only, ends_at };
        let (facts, key) = desk.add_key(&administrator, &wanted).unwrap();
        (facts.id, ("authorization", format!("Bearer {}", key.reveal())))
    };
    let everything = administrator_role(&desk, &administrator);
    let ends_at = Timestamp(now().0 + 1);
    let (id, read_key) = key("reads", everything, true, None);
    names.insert("key", id.to_string());
    credentials.insert(Caller::ReadKey, read_key);
    credentials.insert(Caller::OtherKey, key("other", own_role, false, None).1);
    let expired = key("expired", everything, false, Some(ends_at)).1;
    let gone = begin(&desk, &administrator, "gone@example.com", everything, &[]);
    let change = UserChange { active: Some(false), ..UserChange::default() };
    desk.change_user(&administrator, access_of(&desk, &gone).user().unwrap(), &change).unwrap();
    let ended = begin(&desk, &administrator, "ended@example.com", everything, &[]);
    desk.sign_out(&access_of(&desk, &ended), ended.secret.reveal()).unwrap();
    let invitation = Invitation { email: "quorvath@example.com".to_owned(), role: own_role, teams: Vec::new() };
    names.insert("invitation", desk.invite(&administrator, &invitation).unwrap().0.id.to_string());
    let refused = [None, Some(expired), Some(cookie(&gone)), Some(cookie(&ended))];
    hide(&desk, &administrator, others, &mut names);
    CLOCK.store(ends_at.0, Ordering::SeqCst);
    // That a credential was used is noted at its first use; no test shall take that for a change.
    for (header, value) in credentials.values() {
        let secret = value.split_once(['=', ' ']).unwrap().1;
        if *header == "cookie" {
            desk.access_of_session(secret).unwrap().unwrap();
        } else {
            desk.access_of_key(secret).unwrap().unwrap();
        }
    }
    Template { folder, names, own, credentials, refused }
}

fn administrator_role(desk: &Desk, administrator: &Access) -> Id {
    desk.roles(administrator).unwrap().into_iter().find(|role| role.role.administrator).unwrap().id
}

/// What somebody has who may make records: they see it, whatever they do not see of others.
fn give_own_rows(desk: &Desk, caller: Caller, access: &Access, own: &mut BTreeMap<(Caller, String), String>) {
    for object in ["contact", "lead"] {
        if access.may(Verb::Create, object) {
            let id = made(desk, access, object, json!({ "name": "Mine Alone", "country": "NZ" }));
            own.insert((caller, object.to_owned()), id.to_string());
        }
    }
}

/// What belongs to the administrator and to another team.
fn hide(desk: &Desk, administrator: &Access, team: Id, names: &mut BTreeMap<&'static str, String>) {
    let mut hidden = |name: &'static str, object: &str, value: Value| {
        let mut value = fields(value);
        value.insert("team".to_owned(), json!(team));
        let id = made(desk, administrator, object, Value::Object(value));
        names.insert(name, id.to_string());
        id
    };
    let company = hidden("company", "company", json!({ "name": "Quorvath Holdings", "country": "SE" }));
    let person = |name: &str, local: &str| {
        json!({ "name": name, "email": format!("{local}@hiddenquo.example"), "phone": "+64 21 5550199", "company": company,
            "birthday": "1911-11-11", "description": "quorvath keeps bees", "country": "SE", "customer_id": format!("quorvath-{local}") })
    };
    let contact = hidden("contact", "contact", person("Zephyrine Quorvath", "zq"));
    hidden("other", "contact", person("Zephyrin Quorvath", "zephyrine"));
    let trashed = hidden("trashed", "contact", json!({ "name": "Thrown Quorvath", "country": "SE" }));
    hidden("lead", "lead", json!({ "name": "Lead Quorvath", "company_name": "Quorvath Holdings", "country": "SE" }));
    let amount = json!({ "amount": 7_777_777, "currency": "EUR" });
    hidden(
        "deal",
        "deal",
        json!({ "name": "Quorvath deal", "amount": amount, "company": company, "contact": contact }),
    );
    hidden("note", "note", json!({ "title": "Quorvath note", "body": "quorvath", "contact": contact }));
    hidden("vehicle", "vehicle", json!({ "name": "Quorvath's car", "colour": "blue" }));
    let file = fields(json!({ "name": "quorvath.txt", "contact": contact, "team": team }));
    let file = desk.upload_file(administrator, &file, &mut "quorvath".as_bytes(), 1_000).unwrap().unwrap();
    names.insert("file", file.id.to_string());
    // Others' own rows that name what they may not read.
    name_what_is_hidden(desk, administrator, company);
    desk.edit(administrator, "contact", &[Edit::Delete { id: trashed, version: None }], None).unwrap();
    while desk.find_duplicates(500).unwrap() > 0 {}
    let pairs = desk.duplicates(administrator, "contact", 10).unwrap();
    names.insert("pair", pairs.first().expect("the two are alike").id.to_string());
    let update = Edit::Update { id: contact, fields: fields(json!({ "city": "Quorvath" })), version: None };
    let again = Edit::Create { fields: fields(json!({ "name": "Again Quorvath", "country": "SE", "team": team })) };
    let edited = desk.edit(administrator, "contact", &[update, again], None).unwrap();
    names.insert("batch", edited.batch.unwrap().to_string());
    let view = NewView {
        object: "contact".to_owned(),
        name: "Quorvath view".to_owned(),
        shared: Shared::Team,
        team: Some(team),
        definition: ViewDefinition { filter: Some(r#"name == "quorvath""#.to_owned()), ..ViewDefinition::default() },
    };
    names.insert("view", desk.create_view(administrator, &view).unwrap().id.to_string());
    names.insert("import", upload(desk, administrator, "name,email\nQuorvath,a@hiddenquo.example\n").id.to_string());
    let started = upload(desk, administrator, "name,email\nQuorvath,quorvath\n").id;
    desk.start_import(administrator, started).unwrap();
    desk.run_import(started, &|_| std::ops::ControlFlow::Continue(())).unwrap();
    names.insert("imported", started.to_string());
}

/// The own contact of everybody belongs to a company that most of them do not see.
fn name_what_is_hidden(desk: &Desk, administrator: &Access, company: Id) {
    let query = ListQuery { filter: Some(r#"name == "Mine Alone""#.to_owned()), limit: 100, ..ListQuery::default() };
    for record in desk.list(administrator, "contact", &query).unwrap().records {
        let fields = fields(json!({ "company": company }));
        desk.edit(administrator, "contact", &[Edit::Update { id: record.id, fields, version: None }], None).unwrap();
    }
}

fn upload(desk: &Desk, access: &Access, text: &str) -> Import {
    desk.upload_import(access, "contact", "quorvath.csv", &mut text.as_bytes()).unwrap()
}

fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_files(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

impl House {
    /// The same, whose search knows all rows.
    pub fn with_search() -> Self {
        let house = Self::new();
        house.desk.open_search(&house.folder.path().join("search")).unwrap();
        while house.desk.follow_search().unwrap() {}
        house
    }

    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy_files(TEMPLATE.folder.path(), folder.path());
        let desk = Arc::new(Desk::open_file(&folder.path().join("records.db"), now).unwrap());
        desk.set_sealing_key(rapport_records::people::SealingKey::of([7; 32])).unwrap();
        desk.set_files(&folder.path().join("files")).unwrap();
        let world = World::over(&desk, Arc::new(Gate(Arc::clone(&desk))));
        Self { desk, world, folder }
    }

    /// A text in which each `<name>` is the id of that row of somebody else.
    pub fn filled(text: &str) -> String {
        TEMPLATE.names.iter().fold(text.to_owned(), |text, (name, id)| text.replace(&format!("<{name}>"), id))
    }

    pub async fn ask(&self, caller: Caller, method: &str, path: &str, body: &str) -> Told {
        self.send(Some(&TEMPLATE.credentials[&caller]), method, path, body).await
    }

    /// The header of a caller's credential.
    pub fn credential(caller: Caller) -> (&'static str, &'static str) {
        let (header, value) = &TEMPLATE.credentials[&caller];
        (header, value)
    }

    /// A text in which `<mine>` and `<mylead>` are the ids of a contact and a lead of the caller's own.
    pub fn mine(caller: Caller, text: &str) -> String {
        let own = |name: &str| TEMPLATE.own.get(&(caller, name.to_owned())).cloned().unwrap_or_else(|| "-".to_owned());
        text.replace("<mine>", &own("contact")).replace("<mylead>", &own("lead"))
    }

    /// As one of [`REFUSED`].
    pub async fn ask_refused(&self, place: usize, method: &str, path: &str, body: &str) -> Told {
        self.send(TEMPLATE.refused[place].as_ref(), method, path, body).await
    }

    async fn send(&self, credential: Option<&(&str, String)>, method: &str, path: &str, body: &str) -> Told {
        let mut request = Request::builder().method(method).uri(path).header("x-rapport-request", "1");
        if let Some((header, value)) = credential {
            request = request.header(*header, value);
        }
        self.world.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    /// What everything that is kept is, by table and folder: rows, files and events.
    pub fn digest(&self) -> BTreeMap<String, u64> {
        let database = rusqlite::Connection::open(self.folder.path().join("records.db")).unwrap();
        let mut tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
        let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let mut digest: BTreeMap<String, u64> =
            tables.into_iter().map(|table| (table.clone(), of_table(&database, &table))).collect();
        digest.insert("files".to_owned(), files_in(&self.folder.path().join("files")));
        digest.insert("events".to_owned(), self.world.events().len() as u64);
        digest
    }
}

/// How many files lie in a folder and those in it.
fn files_in(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().map(Result::unwrap);
    entries.map(|entry| if entry.file_type().unwrap().is_dir() { files_in(&entry.path()) } else { 1 }).sum()
}

/// A sum over the hashes of a table's rows, whatever their order.
fn of_table(database: &rusqlite::Connection, table: &str) -> u64 {
    let mut rows = database.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap();
    let columns = rows.column_count();
    let mut rows = rows.query([]).unwrap();
    let mut sum: u64 = 0;
    while let Some(row) = rows.next().unwrap() {
        let mut hasher = DefaultHasher::new();
        for column in 0..columns {
            format!("{:?}", row.get_ref(column).unwrap()).hash(&mut hasher);
        }
        sum = sum.wrapping_add(hasher.finish());
    }
    sum
}
