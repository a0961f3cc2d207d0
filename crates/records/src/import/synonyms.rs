//! What people call columns in files of their own, in English and Chinese and some of their neighbours, and what other systems call
//! options. Targets are written as in [`known`](super::known).

use super::headers::normal;
use crate::{
    schema::{Choice, Field, FieldKind, Options},
    value,
};

/// What other systems call the options of a field: the object, the field, the option, names. Most mean the same. Some mean more than
/// our options can tell: a marketing qualified lead and an opportunity become leads, an evangelist a customer, an escalated ticket an
/// open one. What they had beyond that is lost, which is better than a row that is refused. A value that nothing here means is told of.
/// Of a field for yes or no the options are `true` and `false`.
const OPTIONS: &[(&str, &str, &str, &[&str])] = &[
    (
        "contact",
        "lifecycle",
        "lead",
        &["marketing qualified lead", "sales qualified lead", "mql", "sql", "opportunity", "prospect"],
    ),
    ("contact", "lifecycle", "customer", &["evangelist", "client"]),
    ("contact", "marketing_consent", "true", &["subscribed", "opted in"]),
    ("contact", "marketing_consent", "false", &["unsubscribed", "opted out", "no consent"]),
    ("lead", "status", "new", &["open not contacted", "assigned"]),
    ("lead", "status", "contacted", &["working contacted", "attempted to contact", "in process", "connected"]),
    ("lead", "status", "unqualified", &["closed not converted", "disqualified", "dead"]),
    ("lead", "status", "converted", &["closed converted"]),
    ("", "source", "web", &["web site", "web form"]),
    ("", "source", "referral", &["employee referral", "external referral", "word of mouth"]),
    ("", "source", "event", &["trade show", "conference", "seminar"]),
    ("", "source", "advertising", &["advertisement", "ad"]),
    ("", "source", "partner", &["partner referral"]),
    ("", "source", "outbound", &["cold call"]),
    ("", "priority", "normal", &["medium"]),
    ("ticket", "status", "open", &["working", "in progress", "assigned", "waiting on us", "escalated"]),
    ("ticket", "status", "waiting", &["waiting on contact", "waiting on customer", "pending"]),
    ("ticket", "channel", "web", &["form"]),
    // The last stages of Salesforce, EspoCRM and HubSpot, which has `closedwon` in its API; ours may be called otherwise.
    ("stage", "outcome", "won", &["closed won"]),
    ("stage", "outcome", "lost", &["closed lost"]),
    ("task", "status", "open", &["to do", "undone", "not started", "started", "in progress"]),
    ("task", "status", "done", &["completed"]),
];

/// The option that a text means: its value or label, however they are spelled if only one is spelled so, else what others call it. None
/// for fields without options and for texts that mean none of them, or several.
pub(super) fn option(object: &str, field: &Field, text: &str) -> Option<String> {
    let means = |option: &str, wanted: &str| {
        OPTIONS.iter().any(|(of, name, meant, names)| {
            (of.is_empty() || *of == object)
                && *name == field.name
                && *meant == option
                && names.iter().any(|name| normal(name) == wanted)
        })
    };
    match &field.kind {
        FieldKind::Choice(Options { options }) => {
            // Most are as they are stored; and a custom option may be called as others call one of ours.
            if let Some(exact) = value::called(options, text) {
                return Some(exact.value.clone());
            }
            let wanted = spelling(text);
            let is_spelled_so = |option: &&Choice| {
                let names = [&option.value, &option.label.en, &option.label.zh];
                !wanted.is_empty() && names.iter().any(|name| spelling(name) == wanted)
            };
            let mut found = options.iter().filter(is_spelled_so);
            match (found.next(), found.next()) {
                (Some(only), None) => Some(only.value.clone()),
                (Some(_), Some(_)) => None,
                (None, _) => {
                    options.iter().find(|option| means(&option.value, &wanted)).map(|option| option.value.clone())
                }
            }
        }
        FieldKind::Boolean => {
            let wanted = spelling(text);
            ["true", "false"].into_iter().find(|option| means(option, &wanted)).map(str::to_owned)
        }
        _ => None,
    }
}

/// A name of an option as names are compared: without the size of letters and what is between words. Signs at its ends tell options apart,
/// such as `A+` and `A-`, `<10` and `>10`, `C` and `C++`, but for those that only end or enclose a text.
fn spelling(name: &str) -> String {
    let is_sign = |letter: char| !letter.is_alphanumeric();
    let telling = |signs: &str| -> String {
        signs.chars().filter(|sign| !sign.is_whitespace() && !".,:;()[]_\"'".contains(*sign)).collect()
    };
    let rest = name.trim_start_matches(is_sign);
    let words = rest.trim_end_matches(is_sign);
    let (before, behind) = (&name[..name.len() - rest.len()], &rest[words.len()..]);
    [telling(before), normal(words), telling(behind)].concat()
}

/// What people call columns, for whatever object has the target. Names of fields and their labels need not stand here.
pub(super) const SYNONYMS: &[(&str, &[&str])] = &[
    ("id", &["id", "record id", "rapport id"]),
    (
        "owner",
        &[
            "owner",
            "owner email",
            "assigned to",
            "assigned user",
            "sales rep",
            "sales agent",
            "account manager",
            "responsible",
            "负责人",
            "所有者",
            "归属人",
            "销售",
        ],
    ),
    (
        "name",
        &[
            "full name",
            "contact name",
            "person",
            "display name",
            "account",
            "account name",
            "company name",
            "organisation",
            "organization",
            "opportunity",
            "opportunity name",
            "deal",
            "deal name",
            "product name",
            "product",
            "title",
            "opportunity id",
            "客户名称",
            "公司名称",
            "企业名称",
            "全名",
            "客户",
            "联系人姓名",
            "商机名称",
            "产品名称",
        ],
    ),
    ("first_name", &["first", "given name", "forename", "vorname", "prénom", "名字"]),
    ("last_name", &["last", "surname", "family name", "nachname", "nom", "姓氏"]),
    (
        "email",
        &[
            "mail",
            "email address",
            "e mail address",
            "primary email",
            "work email",
            "电子邮件",
            "电子邮箱",
            "邮件",
            "邮箱地址",
        ],
    ),
    (
        "phone",
        &[
            "telephone",
            "tel",
            "phone number",
            "mobile",
            "mobile phone",
            "cell",
            "cell phone",
            "work phone",
            "telefon",
            "手机",
            "手机号",
            "手机号码",
            "电话号码",
            "联系电话",
        ],
    ),
    ("job_title", &["title", "position", "role", "职务", "岗位"]),
    (
        "company:name",
        &[
            "company",
            "company name",
            "account",
            "account name",
            "organisation",
            "organization",
            "employer",
            "firma",
            "公司名称",
            "企业",
            "企业名称",
            "单位",
            "所属公司",
        ],
    ),
    ("company_name", &["company", "company name", "account name", "organization", "公司名称", "企业"]),
    ("contact:name", &["contact", "contact name", "contact person", "primary contact", "联系人姓名"]),
    ("contact:email", &["contact email", "customer email", "client email", "联系人邮箱"]),
    ("country", &["country region", "nation", "land", "office location", "国家", "地区", "国别"]),
    ("city", &["town", "ort", "所在城市"]),
    (
        "address.street",
        &["street", "address", "street address", "address 1", "address line 1", "strasse", "街道", "详细地址"],
    ),
    ("address.postcode", &["postcode", "zip", "zip code", "postal code", "plz", "邮编", "邮政编码"]),
    ("address.region", &["state", "province", "region", "state region", "county", "省", "省份", "州"]),
    ("website", &["url", "web", "web site", "homepage", "website url", "网站", "官网", "网站地址"]),
    ("domain", &["domain name", "company domain", "company domain name"]),
    ("industry", &["sector", "branche", "行业类型", "所属行业"]),
    ("employees", &["number of employees", "headcount", "company size", "staff", "员工人数", "人数", "规模"]),
    ("revenue", &["annual revenue", "turnover", "营收", "营业额", "年营业额"]),
    ("founded", &["year founded", "year established", "founded year", "established", "成立时间", "成立年"]),
    ("parent:name", &["parent", "parent company", "subsidiary of", "parent account", "上级公司", "总公司"]),
    (
        "amount",
        &["value", "deal value", "close value", "deal amount", "total", "order total", "合同金额", "成交金额", "总额"],
    ),
    ("price", &["sales price", "unit price", "list price", "单价", "售价"]),
    ("category", &["series", "type", "product category", "分类", "产品类别", "类型"]),
    ("sku", &["product code", "article number", "item number", "产品编号", "编码", "商品编码"]),
    ("stage:name", &["stage", "deal stage", "sales stage", "status", "销售阶段", "商机阶段"]),
    ("pipeline:name", &["pipeline", "流程"]),
    ("product:name", &["product", "product name", "产品名称"]),
    ("close_date", &["expected close date", "closing date", "close", "成交日期", "预计成交日期"]),
    ("probability", &["probability", "win probability", "赢率", "概率", "成功率"]),
    ("source", &["lead source", "channel", "origin", "客户来源", "线索来源"]),
    ("lifecycle", &["lifecycle stage", "customer stage", "客户阶段"]),
    ("birthday", &["birth date", "date of birth", "birthdate", "dob", "出生日期"]),
    ("description", &["notes", "note", "comment", "comments", "remarks", "about", "备注", "说明", "注释"]),
    (
        "customer_id",
        &["customer id", "customer number", "customerno", "client id", "external id", "客户编号", "客户号", "会员号"],
    ),
    ("number", &["order number", "order id", "invoice", "invoice number", "order no", "订单号", "订单编号"]),
    ("ordered_at", &["order date", "date", "purchase date", "下单日期", "订单日期"]),
    ("tags", &["labels", "tag", "label", "标记"]),
    ("marketing_consent", &["opt in", "newsletter", "consent", "marketing opt in", "接受营销"]),
    ("subject", &["ticket", "title", "ticket name", "summary", "标题", "工单标题"]),
    ("title", &["subject", "name", "summary", "topic", "主题", "名称"]),
    ("due_at", &["due", "due date", "deadline", "截止日期", "到期日"]),
    ("body", &["note", "text", "content", "正文"]),
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What a text means in a field with these options, whose labels are other than what is stored.
    fn meant(labels: &[&str], text: &str) -> Option<String> {
        let options: Vec<_> = labels
            .iter()
            .enumerate()
            .map(|(place, label)| json!({ "value": format!("v{place}"), "label": { "en": label, "zh": label } }))
            .collect();
        let field = json!({
            "name": "grade", "label": { "en": "Grade", "zh": "等级" }, "kind": { "type": "choice", "options": options },
        });
        let found = option("contact", &serde_json::from_value(field).unwrap(), text)?;
        let place: usize = found.strip_prefix('v').unwrap().parse().unwrap();
        Some(labels[place].to_owned())
    }

    #[test]
    fn options_that_differ_in_signs_only_are_told_apart() {
        for labels in [["A+", "A-"], ["<10", ">10"], ["C", "C++"], ["★", "★★"], ["Yes!", "Yes?"]] {
            for label in labels {
                assert_eq!(meant(&labels, label).as_deref(), Some(label));
                assert_eq!(meant(&labels, &format!(" {label} ")).as_deref(), Some(label));
            }
        }
        assert_eq!(meant(&["A+", "A-"], "A"), None, "it is neither");
        assert_eq!(meant(&["A+", "A-"], "a+").as_deref(), Some("A+"));
        assert_eq!(meant(&["C"], "C++"), None);
        assert_eq!(meant(&["★", "★★"], "★★★"), None);
        assert_eq!(meant(&["In progress", "in-progress"], "IN_PROGRESS"), None, "it may be either");
    }

    #[test]
    fn how_an_option_is_spelled_does_not_matter() {
        for text in ["in progress", "IN_PROGRESS", "In - Progress", "inProgress", "(In progress.)"] {
            assert_eq!(meant(&["New", "In progress"], text).as_deref(), Some("In progress"), "{text}");
        }
        assert_eq!(meant(&["New", "In progress"], "…"), None);
    }
}
