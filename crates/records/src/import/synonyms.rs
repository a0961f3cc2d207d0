//! What people call columns in files of their own, in English and Chinese and some of their neighbours, and what other systems call
//! options. Targets are written as in [`known`](super::known).

use super::headers::normal;
use crate::schema::{Choice, Field, FieldKind};

/// What other systems call the options of a field: the object, the field, the option, names. Only names that mean the same stand
/// here: a value that nothing here means is told of, and nobody wonders later where it has gone. Of a field for yes or no the options
/// are `true` and `false`.
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
    ("task", "status", "open", &["to do", "undone", "not started", "started", "in progress"]),
    ("task", "status", "done", &["completed"]),
];

/// The option that a text means: its value or label however they are spelled, else what others call it. None for fields without
/// options and for texts that mean none of them.
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
        FieldKind::Choice(choices) => {
            let options = &choices.options;
            // Most are as they are stored; and a custom option may be called as others call one of ours.
            if let Some(exact) = options.iter().find(|option| option.value == text.trim()) {
                return Some(exact.value.clone());
            }
            let wanted = normal(text);
            let spelled = |option: &&Choice| {
                [&option.value, &option.label.en, &option.label.zh].iter().any(|name| normal(name) == wanted)
            };
            let found = options.iter().find(spelled);
            let found = found.or_else(|| options.iter().find(|option| means(&option.value, &wanted)));
            found.map(|option| option.value.clone())
        }
        FieldKind::Boolean => {
            let wanted = normal(text);
            ["true", "false"].into_iter().find(|option| means(option, &wanted)).map(str::to_owned)
        }
        _ => None,
    }
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
