//! Saved views: whose they are, who sees them, what can be kept.

use serde_json::{Value, json};

use super::{everything, know, on_both, person};
use crate::{Access, Desk, Grant, Id, NewView, Reach, RecordsError, Role, Shared, View, ViewChange, ViewKind};

fn view(value: Value) -> NewView {
    serde_json::from_value(value).unwrap()
}

fn seen(desk: &Desk, access: &Access) -> Vec<String> {
    desk.views(access, Some("deal")).unwrap().into_iter().map(|view| view.name).collect()
}

#[test]
fn views_are_seen_and_changed_by_whom_they_are_shared_with() {
    on_both(|desk| {
        know(desk, &[1, 2, 3, 4], &[10, 20]);
        let (owner, mate, other) =
            (person(1, &[10], Role::member()), person(2, &[10], Role::member()), person(3, &[20], Role::member()));
        let admin = person(4, &[], Role::administrator());
        let keep = |name: &str, shared: &str, team: Option<i64>| {
            let wanted = json!({
                "object": "deal", "name": name, "shared": shared, "team": team.map(Id),
                "definition": { "filter": "amount > 100 && owner == me()", "sort": "-amount", "columns": ["name", "amount", "created_at"] },
            });
            desk.create_view(&owner, &view(wanted))
        };
        let kept: Vec<View> = [("mine", "private", None), ("ours", "team", Some(10)), ("everybody's", "all", None)]
            .into_iter()
            .map(|(name, shared, team)| keep(name, shared, team).unwrap())
            .collect();
        assert_eq!(seen(desk, &owner), ["mine", "ours", "everybody's"]);
        assert_eq!(seen(desk, &mate), ["ours", "everybody's"]);
        assert_eq!(seen(desk, &other), ["everybody's"]);
        assert_eq!(seen(desk, &admin), ["ours", "everybody's"]);
        assert_eq!(desk.views(&owner, Some("contact")).unwrap(), []);
        assert_eq!(desk.views(&owner, None).unwrap(), kept);
        for (name, shared, team) in
            [("x", "team", None), ("x", "team", Some(20)), ("x", "all", Some(10)), (" ", "all", None)]
        {
            assert!(matches!(keep(name, shared, team), Err(RecordsError::Invalid { .. })), "{name} {shared} {team:?}");
        }
        let rename = |access: &Access, view: &View, name: &str| {
            desk.change_view(access, view.id, &ViewChange { name: Some(name.to_owned()), ..ViewChange::default() })
        };
        assert!(matches!(rename(&mate, &kept[0], "stolen"), Err(RecordsError::NotFound(_))));
        assert!(matches!(rename(&admin, &kept[0], "stolen"), Err(RecordsError::NotFound(_))));
        assert!(matches!(rename(&mate, &kept[1], "stolen"), Err(RecordsError::Forbidden(_))));
        assert!(matches!(desk.delete_view(&other, kept[2].id), Err(RecordsError::Forbidden(_))));
        assert_eq!(rename(&admin, &kept[2], "all").unwrap().name, "all");
        let change = ViewChange { shared: Some(Shared::Private), position: Some(0), ..ViewChange::default() };
        let changed = desk.change_view(&owner, kept[1].id, &change).unwrap();
        assert_eq!((changed.team, changed.editable), (None, true));
        assert_eq!(seen(desk, &owner), ["ours", "mine", "all"]);
        assert_eq!(seen(desk, &mate), ["all"]);
        desk.delete_view(&owner, kept[0].id).unwrap();
        desk.delete_view(&admin, kept[2].id).unwrap();
        assert_eq!(seen(desk, &owner), ["ours"]);
        assert!(desk.create_view(&everything(), &view(json!({ "object": "deal", "name": "x" }))).is_err());
    });
}

#[test]
fn only_what_can_be_run_is_kept() {
    on_both(|desk| {
        let access = person(1, &[], Role::administrator());
        let keep = |definition: Value| {
            desk.create_view(&access, &view(json!({ "object": "deal", "name": "v", "definition": definition })))
        };
        let wrong = [
            (json!({ "filter": "amoun > 1" }), None),
            (json!({ "filter": "amount + 1" }), None),
            (json!({ "sort": "nothing" }), Some("definition.sort")),
            (json!({ "sort": "contacts" }), Some("definition.sort")),
            (json!({ "columns": ["name", "nothing"] }), Some("definition.columns[1]")),
            (json!({ "columns": ["name", "name"] }), Some("definition.columns[1]")),
            (json!({ "kind": "board" }), Some("definition.group")),
            (json!({ "kind": "board", "group": "amount" }), Some("definition.group")),
            (json!({ "group": "stage" }), Some("definition.group")),
        ];
        for (definition, at) in wrong {
            match (keep(definition.clone()), at) {
                (Err(RecordsError::Invalid { field, .. }), Some(at)) => assert_eq!(field, at, "{definition}"),
                (Err(RecordsError::Condition(_)), None) => {}
                (other, _) => panic!("{definition}: {other:?}"),
            }
        }
        let board = keep(
            json!({ "kind": "board", "group": "stage", "filter": "stage.outcome == \"open\"", "sort": "close_date" }),
        );
        assert_eq!(board.unwrap().definition.kind, ViewKind::Board);
        assert_eq!(desk.views(&access, None).unwrap().len(), 1);
        let unknown = view(json!({ "object": "nothing", "name": "v" }));
        assert!(matches!(desk.create_view(&access, &unknown), Err(RecordsError::NotFound(_))));
    });
}

#[test]
fn a_view_shows_nobody_what_they_may_not_see() {
    on_both(|desk| {
        know(desk, &[1, 2], &[]);
        let owner = person(1, &[], Role::manager());
        let definitions = [
            json!({ "columns": ["name", "amount"], "sort": "amount" }),
            json!({ "filter": "amount > 100" }),
            json!({ "kind": "board", "group": "stage" }),
        ];
        for (place, definition) in definitions.into_iter().enumerate() {
            let wanted =
                json!({ "object": "deal", "name": place.to_string(), "shared": "all", "definition": definition });
            desk.create_view(&owner, &view(wanted)).unwrap();
        }
        let hidden = vec!["amount".to_owned(), "stage".to_owned()];
        let role =
            |read: Reach| Role { other: Grant { read, hidden: hidden.clone(), ..Grant::default() }, ..Role::default() };
        let views = desk.views(&person(2, &[], role(Reach::All)), None).unwrap();
        let told: Vec<Value> = views.iter().map(|view| serde_json::to_value(&view.definition).unwrap()).collect();
        let plain = |columns: Value| json!({ "filter": null, "sort": null, "columns": columns, "kind": "table", "group": null });
        assert_eq!(told, [plain(json!(["name"])), plain(json!([]))]);
        assert_eq!(desk.views(&person(2, &[], role(Reach::None)), None).unwrap(), []);
        let refused = view(json!({ "object": "deal", "name": "x", "definition": { "columns": ["amount"] } }));
        assert!(desk.create_view(&person(2, &[], role(Reach::All)), &refused).is_err());
    });
}

#[test]
fn everybody_says_for_themselves_which_view_comes_first() {
    on_both(|desk| {
        know(desk, &[1, 2], &[]);
        let (one, two) = (person(1, &[], Role::member()), person(2, &[], Role::member()));
        let keep = |name: &str, shared: &str| {
            desk.create_view(&one, &view(json!({ "object": "deal", "name": name, "shared": shared }))).unwrap()
        };
        let (ours, others, mine) = (keep("ours", "all"), keep("others", "all"), keep("mine", "private"));
        let first = |access: &Access| -> Vec<String> {
            let views = desk.views(access, Some("deal")).unwrap();
            views.into_iter().filter(|view| view.first).map(|view| view.name).collect()
        };
        let set = |access: &Access, view: &View, first: bool| {
            desk.change_view(access, view.id, &ViewChange { first: Some(first), ..ViewChange::default() })
        };
        assert!(!ours.first && first(&one).is_empty());
        // Who may not change a view may begin with it; nobody begins with one that they do not see.
        assert!(set(&two, &ours, true).unwrap().first);
        assert!(set(&one, &mine, true).unwrap().first);
        assert!(matches!(set(&two, &mine, true), Err(RecordsError::NotFound(_))));
        assert!(matches!(set(&everything(), &ours, true), Err(RecordsError::Forbidden(_))));
        assert_eq!((first(&one), first(&two)), (vec!["mine".to_owned()], vec!["ours".to_owned()]));
        assert!(set(&two, &others, true).unwrap().first);
        assert!(!set(&two, &ours, false).unwrap().first, "it was not any more");
        assert_eq!(first(&two), ["others"]);
        let renamed = ViewChange { name: Some("theirs".to_owned()), ..ViewChange::default() };
        assert!(!desk.change_view(&one, others.id, &renamed).unwrap().first);
        assert_eq!(first(&two), ["theirs"]);
        desk.delete_view(&one, others.id).unwrap();
        assert_eq!(first(&two), [""; 0]);
    });
}
