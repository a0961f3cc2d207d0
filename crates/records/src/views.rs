//! Views: lists and boards that somebody keeps, for themselves, for a team or for all.
//!
//! A view grants nothing: it is a query that everybody runs with their own rights. It is checked when it is kept, as its keeper
//! sees the object. Who does not see a field that a view shows gets the view without it; who does not see what it is filtered by
//! does not get the view, since it would show them something else.
//!
//! Limits: [`VIEWS`] views of a person, [`COLUMNS`] columns of a view.

use sea_query::{Alias, Expr, ExprTrait as _, OnConflict, Order, Query, SelectStatement};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Access, Desk, Id, RecordsError, Row, Tx, Verb,
    desk::Moment,
    ground::Ground,
    read,
    schema::{FieldKind, is_system},
};

/// The most views that a person keeps.
pub(crate) const VIEWS: i64 = 200;
/// The most columns of a view.
pub(crate) const COLUMNS: usize = 50;
/// Letters of a view's name.
const NAME: usize = 80;

/// Who sees a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shared {
    /// Its owner.
    #[default]
    Private,
    /// A team of its owner's.
    Team,
    /// Everybody.
    All,
}

const SHARED: [(Shared, &str); 3] = [(Shared::Private, "private"), (Shared::Team, "team"), (Shared::All, "all")];

/// How a view shows its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ViewKind {
    /// In rows.
    #[default]
    Table,
    /// In columns by the values of a field.
    Board,
}

/// What a view shows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ViewDefinition {
    /// A condition that is true of the records.
    pub filter: Option<String>,
    /// A field, `-` before it for the largest first.
    pub sort: Option<String>,
    /// Fields, in their order; none for the page's own choice.
    pub columns: Vec<String>,
    /// How they are shown.
    pub kind: ViewKind,
    /// The field whose values are the columns of a board.
    pub group: Option<String>,
}

/// A view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct View {
    /// Its id.
    pub id: Id,
    /// The object.
    pub object: String,
    /// What it is called.
    pub name: String,
    /// The person who keeps it.
    pub owner: Id,
    /// Who sees it.
    pub shared: Shared,
    /// The team, if it is a team's.
    pub team: Option<Id>,
    /// What it shows, as far as the caller sees it.
    pub definition: ViewDefinition,
    /// Its place among the views of the object.
    pub position: i64,
    /// Whether the caller may change it.
    pub editable: bool,
    /// Whether the caller's page of the object begins with it.
    pub first: bool,
}

/// A view that is to be kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewView {
    /// The object.
    pub object: String,
    /// What it is called.
    pub name: String,
    /// Who sees it.
    #[serde(default)]
    pub shared: Shared,
    /// The team, if it is a team's.
    #[serde(default)]
    pub team: Option<Id>,
    /// What it shows.
    #[serde(default)]
    pub definition: ViewDefinition,
}

/// What of a view changes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ViewChange {
    /// Another name.
    pub name: Option<String>,
    /// Who sees it from now on.
    pub shared: Option<Shared>,
    /// The team from now on.
    pub team: Option<Id>,
    /// What it shows from now on, whole.
    pub definition: Option<ViewDefinition>,
    /// Its place from now on.
    pub position: Option<i64>,
    /// Whether the caller's page of the object begins with it from now on, instead of another one. Everybody who sees a view says so
    /// for themselves.
    pub first: Option<bool>,
}

const FIELDS: [&str; 8] = ["id", "object", "name", "owner", "team", "shared", "definition", "position"];

fn column(name: &str) -> Expr {
    Expr::col(Alias::new(name))
}

impl Desk {
    /// The views of an object, or of all, that the caller sees, in their order.
    pub fn views(&self, access: &Access, object: Option<&str>) -> Result<Vec<View>, RecordsError> {
        self.read(|moment, tx| {
            let mut query = visible(access);
            if let Some(object) = object {
                query.and_where(column("object").eq(object));
            }
            query.order_by(Alias::new("position"), Order::Asc).order_by(Alias::new("id"), Order::Asc);
            let mut views = tx.query(&query)?.iter().map(|row| view_of(row, access)).collect::<Result<Vec<_>, _>>()?;
            let first = first_views(tx, access)?;
            views.iter_mut().for_each(|view| view.first = first.contains(&view.id));
            Ok(views.into_iter().filter_map(|view| as_seen(moment, access, view)).collect())
        })
    }

    /// Keeps a view; its owner is the caller, who has to be a person.
    pub fn create_view(&self, access: &Access, wanted: &NewView) -> Result<View, RecordsError> {
        let no_person = || RecordsError::Forbidden("views belong to people; a key of a program keeps none".to_owned());
        let owner = access.user.ok_or_else(no_person)?;
        self.write(|moment, tx| {
            let count = Query::select()
                .expr(column("id").count())
                .expr(Expr::cust("COALESCE(MAX(position), 0)"))
                .from(Alias::new("view"))
                .and_where(column("owner").eq(owner.0))
                .take();
            let row = tx.first(&count)?;
            let (count, last) = row.map_or(Ok((0, 0)), |row| Ok::<_, RecordsError>((row.int(0)?, row.int(1)?)))?;
            if count >= VIEWS {
                return Err(RecordsError::Limit(format!("a person keeps up to {VIEWS} views")));
            }
            let NewView { object, name, shared, team, definition } = wanted.clone();
            let id = moment.ids.next(moment.now)?;
            let (position, editable, first) = (last + 1, true, false);
            let view = View { id, object, name, owner, shared, team, definition, position, editable, first };
            let view = checked(moment, access, view)?;
            let definition = definition_text(&view.definition)?;
            let insert = Query::insert()
                .into_table(Alias::new("view"))
                .columns(FIELDS.map(Alias::new))
                .values_panic([
                    view.id.0.into(),
                    view.object.clone().into(),
                    view.name.clone().into(),
                    view.owner.0.into(),
                    view.team.map(|team| team.0).into(),
                    shared_text(view.shared).into(),
                    definition.into(),
                    view.position.into(),
                ])
                .take();
            tx.execute(&insert)?;
            Ok(view)
        })
    }

    /// Changes a view. Its owner may, and administrators where it is not private. Whether the caller begins with it everybody
    /// says who sees it.
    pub fn change_view(&self, access: &Access, id: Id, change: &ViewChange) -> Result<View, RecordsError> {
        self.write(|moment, tx| {
            let mut seen = seen(tx, access, id)?;
            if let Some(first) = change.first {
                set_first(tx, access, &seen, first)?;
            }
            seen.first = first_views(tx, access)?.contains(&id);
            if (ViewChange { first: change.first, ..ViewChange::default() }) == *change {
                let gone = || RecordsError::NotFound(format!("there is no view {id}"));
                return as_seen(moment, access, seen).ok_or_else(gone);
            }
            let mut view = editable(seen)?;
            let ViewChange { name, shared, team, definition, position, first: _ } = change.clone();
            view.name = name.unwrap_or(view.name);
            view.shared = shared.unwrap_or(view.shared);
            view.team = team.or(view.team).filter(|_| view.shared == Shared::Team);
            view.definition = definition.unwrap_or(view.definition);
            view.position = position.unwrap_or(view.position);
            let view = checked(moment, access, view)?;
            let update = Query::update()
                .table(Alias::new("view"))
                .values([
                    (Alias::new("name"), view.name.clone().into()),
                    (Alias::new("team"), view.team.map(|team| team.0).into()),
                    (Alias::new("shared"), shared_text(view.shared).into()),
                    (Alias::new("definition"), definition_text(&view.definition)?.into()),
                    (Alias::new("position"), view.position.into()),
                ])
                .and_where(column("id").eq(id.0))
                .take();
            tx.execute(&update)?;
            Ok(view)
        })
    }

    /// Takes a view away.
    pub fn delete_view(&self, access: &Access, id: Id) -> Result<(), RecordsError> {
        self.write(|_, tx| {
            editable(seen(tx, access, id)?)?;
            for (table, key) in [("first_view", "view"), ("view", "id")] {
                tx.execute(&Query::delete().from_table(Alias::new(table)).and_where(column(key).eq(id.0)).take())?;
            }
            Ok(())
        })
    }
}

/// The views that somebody sees. Administrators see those of all teams, and nobody's private ones.
fn visible(access: &Access) -> SelectStatement {
    let mut seen = column("shared").eq("all");
    if let Some(user) = access.user {
        seen = seen.or(column("owner").eq(user.0));
    }
    let of_team = column("shared").eq("team");
    if access.is_administrator() {
        seen = seen.or(of_team);
    } else if !access.teams.is_empty() {
        seen = seen.or(of_team.and(column("team").is_in(access.teams.iter().map(|team| team.0))));
    }
    Query::select().columns(FIELDS.map(Alias::new)).from(Alias::new("view")).and_where(seen).take()
}

fn view_of(row: &Row, access: &Access) -> Result<View, RecordsError> {
    let damaged = || RecordsError::Damaged { what: format!("the view {}", Id(row.int(0).unwrap_or_default())) };
    let shared = row.text(5)?;
    let shared = SHARED.iter().find(|(_, name)| *name == shared).ok_or_else(damaged)?.0;
    let owner = Id(row.int(3)?);
    Ok(View {
        id: Id(row.int(0)?),
        object: row.text(1)?.to_owned(),
        name: row.text(2)?.to_owned(),
        owner,
        team: row.int_or_none(4)?.map(Id),
        shared,
        definition: serde_json::from_str(row.text(6)?).map_err(|_| damaged())?,
        position: row.int(7)?,
        editable: access.user == Some(owner) || access.is_administrator() && shared != Shared::Private,
        first: false,
    })
}

/// The views with which the caller's pages begin.
fn first_views(tx: &mut Tx<'_>, access: &Access) -> Result<Vec<Id>, RecordsError> {
    let Some(person) = access.user else { return Ok(Vec::new()) };
    let mut query = Query::select();
    query.column(Alias::new("view")).from(Alias::new("first_view")).and_where(column("person").eq(person.0));
    tx.query(&query)?.iter().map(|row| row.int(0).map(Id)).collect()
}

/// Says whether the caller's page of an object begins with a view.
fn set_first(tx: &mut Tx<'_>, access: &Access, view: &View, first: bool) -> Result<(), RecordsError> {
    let no_person = || RecordsError::Forbidden("a page belongs to a person; a key of a program has none".to_owned());
    let person = access.user.ok_or_else(no_person)?;
    if first {
        let keys = ["person", "object"].map(Alias::new);
        let insert = Query::insert()
            .into_table(Alias::new("first_view"))
            .columns(["person", "object", "view"].map(Alias::new))
            .values_panic([person.0.into(), view.object.clone().into(), view.id.0.into()])
            .on_conflict(OnConflict::columns(keys).update_column(Alias::new("view")).to_owned())
            .take();
        return tx.execute(&insert).map(drop);
    }
    let delete = Query::delete()
        .from_table(Alias::new("first_view"))
        .and_where(column("person").eq(person.0))
        .and_where(column("view").eq(view.id.0))
        .take();
    tx.execute(&delete).map(drop)
}

fn seen(tx: &mut Tx<'_>, access: &Access, id: Id) -> Result<View, RecordsError> {
    let row = tx.first(visible(access).and_where(column("id").eq(id.0)))?;
    let row = row.ok_or_else(|| RecordsError::NotFound(format!("there is no view {id}")))?;
    view_of(&row, access)
}

fn editable(view: View) -> Result<View, RecordsError> {
    if view.editable {
        return Ok(view);
    }
    Err(RecordsError::Forbidden("only its owner and administrators may change this view".to_owned()))
}

fn shared_text(shared: Shared) -> &'static str {
    SHARED.iter().find(|(known, _)| *known == shared).expect("all are there").1
}

fn definition_text(definition: &ViewDefinition) -> Result<String, RecordsError> {
    serde_json::to_string(definition).map_err(|error| RecordsError::Database(error.to_string()))
}

/// Refuses a view that cannot be run, or that is shared with whom its keeper cannot share it.
fn checked(moment: &Moment<'_>, access: &Access, mut view: View) -> Result<View, RecordsError> {
    view.name = String::from(view.name.trim());
    if view.name.is_empty() || view.name.chars().count() > NAME || view.name.chars().any(char::is_control) {
        return Err(RecordsError::invalid("name", format!("it must be 1 to {NAME} letters")));
    }
    match (view.shared, view.team) {
        (Shared::Team, Some(team)) if access.is_administrator() || access.teams.contains(&team) => {}
        (Shared::Team, _) => return Err(RecordsError::invalid("team", "it must be a team of yours")),
        (_, Some(_)) => return Err(RecordsError::invalid("team", "only a view that is shared with a team has one")),
        (_, None) => {}
    }
    let ground = moment.ground(&view.object, access)?;
    access.reach(Verb::Read, ground.object)?;
    let at = |part: &str| format!("definition.{part}");
    let definition = &mut view.definition;
    definition.filter = definition.filter.take().filter(|filter| !filter.trim().is_empty());
    if let Some(filter) = &definition.filter {
        ground.filter(filter)?;
    }
    if let Some(sort) = &definition.sort {
        read::check_sort(sort, ground.object, access).map_err(|error| match error {
            RecordsError::Invalid { field, what } => RecordsError::Invalid { field: at(&field), what },
            other => other,
        })?;
    }
    if definition.columns.len() > COLUMNS {
        return Err(RecordsError::invalid(at("columns"), format!("it has up to {COLUMNS}")));
    }
    for (place, name) in definition.columns.iter().enumerate() {
        if !is_column(&ground, access, name) || definition.columns[..place].contains(name) {
            let what = format!("\"{name}\" is no field, or stands there twice");
            return Err(RecordsError::invalid(at(&format!("columns[{place}]")), what));
        }
    }
    match (definition.kind, &definition.group) {
        (ViewKind::Board, Some(group)) if is_group(&ground, access, group) => {}
        (ViewKind::Board, _) => {
            let what = "a board has a field of few values, such as a choice or a stage, whose values are its columns";
            return Err(RecordsError::invalid(at("group"), what));
        }
        (ViewKind::Table, Some(_)) => return Err(RecordsError::invalid(at("group"), "a table has none")),
        (ViewKind::Table, None) => {}
    }
    Ok(view)
}

fn is_column(ground: &Ground<'_>, access: &Access, name: &str) -> bool {
    let object = ground.object;
    is_system(name) && name != "deleted_at" || object.field(name).is_some() && access.may_see(&object.name, name)
}

fn is_group(ground: &Ground<'_>, access: &Access, name: &str) -> bool {
    let object = ground.object;
    let fits = |kind: &FieldKind| {
        matches!(kind, FieldKind::Choice(_) | FieldKind::Relation { .. } | FieldKind::User | FieldKind::Boolean)
    };
    object.field(name).is_some_and(|field| fits(&field.kind)) && access.may_see(&object.name, name)
}

/// A view as somebody sees it: without the fields that they do not see or that are gone. None where it would not be the same
/// view.
fn as_seen(moment: &Moment<'_>, access: &Access, mut view: View) -> Option<View> {
    let ground = moment.ground(&view.object, access).ok()?;
    access.reach(Verb::Read, ground.object).ok()?;
    let definition = &mut view.definition;
    let own = access.user == Some(view.owner);
    // Its owner gets it in any case, to mend it.
    if !own && definition.filter.as_ref().is_some_and(|filter| ground.filter(filter).is_err()) {
        return None;
    }
    definition.sort = definition.sort.take().filter(|sort| read::check_sort(sort, ground.object, access).is_ok());
    definition.columns.retain(|name| is_column(&ground, access, name));
    if definition.group.as_ref().is_some_and(|group| !is_group(&ground, access, group)) {
        (definition.kind, definition.group) = (ViewKind::Table, None);
    }
    Some(view)
}
