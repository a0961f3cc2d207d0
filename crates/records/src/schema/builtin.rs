//! The objects that Rapport brings, as a table of fields.

use super::{
    Field, FieldKind, Label, Object,
    kind::{Choice, Options},
};

type Names = (&'static str, &'static str);

/// What a field of the table below is, besides its kind.
#[derive(Clone, Copy, PartialEq)]
enum Mark {
    Plain,
    Required,
    Unique,
    Indexed,
    /// Looked at by the search.
    Searched,
    /// Looked at by the search, and lists are sorted by it.
    Title,
}

use Mark::{Indexed, Plain, Required, Searched, Title, Unique};

fn field(name: &str, label: Names, kind: FieldKind, mark: Mark) -> Field {
    Field {
        name: name.to_owned(),
        label: Label::of(label),
        kind,
        required: matches!(mark, Required | Title),
        unique: mark == Unique,
        indexed: matches!(mark, Indexed | Title),
        searchable: matches!(mark, Searched | Title | Unique),
        custom: false,
        retired: false,
    }
}

fn choice(options: &[(&str, &str, &str)]) -> FieldKind {
    FieldKind::Choice(choices(options))
}

fn choices(options: &[(&str, &str, &str)]) -> Options {
    let option =
        |(value, en, zh): &(&str, &str, &str)| Choice { value: (*value).to_owned(), label: Label::of((en, zh)) };
    Options { options: options.iter().map(option).collect() }
}

fn to(object: &str) -> FieldKind {
    FieldKind::Relation { object: object.to_owned() }
}

fn to_many(object: &str) -> FieldKind {
    FieldKind::Relations { object: object.to_owned() }
}

fn object(name: &str, label: Names, plural: Names, title: &str, fields: Vec<Field>) -> Object {
    Object {
        name: name.to_owned(),
        label: Label::of(label),
        plural: Label::of(plural),
        title: title.to_owned(),
        fields,
        custom: false,
    }
}

/// Labels any record can carry.
fn tags() -> Field {
    let options = [
        ("vip", "VIP", "重要客户"),
        ("partner", "Partner", "合作伙伴"),
        ("newsletter", "Newsletter", "订阅通讯"),
        ("at_risk", "At risk", "有流失风险"),
    ];
    field("tags", ("Tags", "标签"), FieldKind::MultiChoice(choices(&options)), Plain)
}

fn description() -> Field {
    field("description", ("Description", "描述"), FieldKind::LongText, Searched)
}

/// The records that an activity is about.
fn about() -> Vec<Field> {
    vec![
        field("contact", ("Contact", "联系人"), to("contact"), Indexed),
        field("company", ("Company", "公司"), to("company"), Indexed),
        field("deal", ("Deal", "商机"), to("deal"), Indexed),
        field("ticket", ("Ticket", "工单"), to("ticket"), Indexed),
        field("lead", ("Lead", "线索"), to("lead"), Indexed),
    ]
}

fn with_about(mut fields: Vec<Field>) -> Vec<Field> {
    fields.extend(about());
    fields
}

pub(super) fn objects() -> Vec<Object> {
    vec![
        contact(),
        company(),
        lead(),
        pipeline(),
        stage(),
        deal(),
        product(),
        order(),
        ticket(),
        task(),
        note(),
        meeting(),
        call(),
        file(),
    ]
}

fn source() -> Field {
    let options = [
        ("web", "Website", "网站"),
        ("referral", "Referral", "转介绍"),
        ("event", "Event", "活动"),
        ("advertising", "Advertising", "广告"),
        ("outbound", "Outbound", "主动拓展"),
        ("partner", "Partner", "合作伙伴"),
        ("import", "Import", "导入"),
        ("other", "Other", "其他"),
    ];
    field("source", ("Source", "来源"), choice(&options), Plain)
}

fn contact() -> Object {
    let lifecycle = [
        ("subscriber", "Subscriber", "订阅者"),
        ("lead", "Lead", "线索"),
        ("customer", "Customer", "客户"),
        ("former", "Former customer", "流失客户"),
    ];
    let fields = vec![
        field("name", ("Name", "姓名"), FieldKind::Text, Title),
        field("first_name", ("First name", "名"), FieldKind::Text, Plain),
        field("last_name", ("Last name", "姓"), FieldKind::Text, Plain),
        Field { searchable: true, ..field("email", ("E-mail", "邮箱"), FieldKind::Email, Indexed) },
        field("other_emails", ("Other e-mails", "其他邮箱"), FieldKind::Emails, Searched),
        field("phone", ("Phone", "电话"), FieldKind::Phone, Searched),
        field("other_phones", ("Other phones", "其他电话"), FieldKind::Phones, Searched),
        field("company", ("Company", "公司"), to("company"), Indexed),
        field("job_title", ("Job title", "职位"), FieldKind::Text, Plain),
        field("lifecycle", ("Lifecycle", "生命周期"), choice(&lifecycle), Plain),
        source(),
        field("country", ("Country", "国家/地区"), FieldKind::Text, Plain),
        field("city", ("City", "城市"), FieldKind::Text, Plain),
        field("address", ("Address", "地址"), FieldKind::Address, Plain),
        field("birthday", ("Birthday", "生日"), FieldKind::Date, Plain),
        field("website", ("Website", "网址"), FieldKind::Url, Plain),
        field("marketing_consent", ("Marketing consent", "营销许可"), FieldKind::Boolean, Plain),
        tags(),
        description(),
        field("customer_id", ("Customer id", "客户编号"), FieldKind::Text, Unique),
    ];
    object("contact", ("Contact", "联系人"), ("Contacts", "联系人"), "name", fields)
}

fn company() -> Object {
    let fields = vec![
        field("name", ("Name", "名称"), FieldKind::Text, Title),
        Field { searchable: true, ..field("domain", ("Domain", "域名"), FieldKind::Text, Indexed) },
        field("website", ("Website", "网址"), FieldKind::Url, Plain),
        field("industry", ("Industry", "行业"), FieldKind::Text, Plain),
        field("employees", ("Employees", "员工数"), FieldKind::Number, Plain),
        field("revenue", ("Annual revenue", "年收入"), FieldKind::Money, Plain),
        field("phone", ("Phone", "电话"), FieldKind::Phone, Searched),
        field("email", ("E-mail", "邮箱"), FieldKind::Email, Searched),
        field("country", ("Country", "国家/地区"), FieldKind::Text, Plain),
        field("city", ("City", "城市"), FieldKind::Text, Plain),
        field("address", ("Address", "地址"), FieldKind::Address, Plain),
        field("parent", ("Parent company", "母公司"), to("company"), Plain),
        field("founded", ("Founded", "成立年份"), FieldKind::Number, Plain),
        tags(),
        description(),
    ];
    object("company", ("Company", "公司"), ("Companies", "公司"), "name", fields)
}

fn lead() -> Object {
    let status = [
        ("new", "New", "新建"),
        ("contacted", "Contacted", "已联系"),
        ("qualified", "Qualified", "已确认"),
        ("unqualified", "Unqualified", "不合格"),
        ("converted", "Converted", "已转化"),
    ];
    let rating = [("hot", "Hot", "热"), ("warm", "Warm", "温"), ("cold", "Cold", "冷")];
    let fields = vec![
        field("name", ("Name", "姓名"), FieldKind::Text, Title),
        field("first_name", ("First name", "名"), FieldKind::Text, Plain),
        field("last_name", ("Last name", "姓"), FieldKind::Text, Plain),
        field("company_name", ("Company", "公司"), FieldKind::Text, Searched),
        Field { searchable: true, ..field("email", ("E-mail", "邮箱"), FieldKind::Email, Indexed) },
        field("phone", ("Phone", "电话"), FieldKind::Phone, Searched),
        field("job_title", ("Job title", "职位"), FieldKind::Text, Plain),
        field("status", ("Status", "状态"), choice(&status), Plain),
        field("rating", ("Rating", "评级"), choice(&rating), Plain),
        source(),
        field("value", ("Expected value", "预期金额"), FieldKind::Money, Plain),
        field("country", ("Country", "国家/地区"), FieldKind::Text, Plain),
        field("website", ("Website", "网址"), FieldKind::Url, Plain),
        tags(),
        description(),
        field("converted_at", ("Converted at", "转化时间"), FieldKind::DateTime, Plain),
        field("contact", ("Contact", "联系人"), to("contact"), Plain),
        field("company", ("Company record", "公司记录"), to("company"), Plain),
        field("deal", ("Deal", "商机"), to("deal"), Plain),
    ];
    object("lead", ("Lead", "线索"), ("Leads", "线索"), "name", fields)
}

fn pipeline() -> Object {
    let fields = vec![
        field("name", ("Name", "名称"), FieldKind::Text, Title),
        field("position", ("Position", "顺序"), FieldKind::Number, Plain),
    ];
    object("pipeline", ("Pipeline", "销售流程"), ("Pipelines", "销售流程"), "name", fields)
}

fn stage() -> Object {
    let outcome = [("open", "Open", "进行中"), ("won", "Won", "赢单"), ("lost", "Lost", "输单")];
    let fields = vec![
        field("name", ("Name", "名称"), FieldKind::Text, Title),
        Field { required: true, ..field("pipeline", ("Pipeline", "销售流程"), to("pipeline"), Indexed) },
        field("position", ("Position", "顺序"), FieldKind::Number, Plain),
        field("probability", ("Probability (%)", "概率(%)"), FieldKind::Number, Plain),
        field("outcome", ("Outcome", "结果"), choice(&outcome), Required),
        field("rotting_days", ("Rotting after days", "停滞天数"), FieldKind::Number, Plain),
    ];
    object("stage", ("Stage", "阶段"), ("Stages", "阶段"), "name", fields)
}

fn deal() -> Object {
    let weighted = FieldKind::Formula { expression: "amount * probability / 100".to_owned() };
    let fields = vec![
        field("name", ("Name", "名称"), FieldKind::Text, Title),
        field("amount", ("Amount", "金额"), FieldKind::Money, Indexed),
        field("pipeline", ("Pipeline", "销售流程"), to("pipeline"), Plain),
        field("stage", ("Stage", "阶段"), to("stage"), Indexed),
        field("probability", ("Probability (%)", "概率(%)"), FieldKind::Number, Plain),
        field("weighted", ("Weighted amount", "加权金额"), weighted, Plain),
        field("close_date", ("Close date", "预计成交日"), FieldKind::Date, Indexed),
        field("company", ("Company", "公司"), to("company"), Indexed),
        field("contact", ("Contact", "联系人"), to("contact"), Indexed),
        field("contacts", ("More contacts", "其他联系人"), to_many("contact"), Plain),
        field("product", ("Product", "产品"), to("product"), Plain),
        source(),
        field("next_step", ("Next step", "下一步"), FieldKind::Text, Plain),
        field("lost_reason", ("Lost because", "输单原因"), FieldKind::Text, Plain),
        field("closed_at", ("Closed at", "关闭时间"), FieldKind::DateTime, Plain),
        tags(),
        description(),
    ];
    object("deal", ("Deal", "商机"), ("Deals", "商机"), "name", fields)
}

fn product() -> Object {
    let fields = vec![
        field("name", ("Name", "名称"), FieldKind::Text, Title),
        field("sku", ("SKU", "货号"), FieldKind::Text, Unique),
        field("price", ("Price", "价格"), FieldKind::Money, Plain),
        field("category", ("Category", "类别"), FieldKind::Text, Plain),
        field("active", ("On sale", "在售"), FieldKind::Boolean, Plain),
        description(),
    ];
    object("product", ("Product", "产品"), ("Products", "产品"), "name", fields)
}

fn order() -> Object {
    let status = [
        ("draft", "Draft", "草稿"),
        ("placed", "Placed", "已下单"),
        ("paid", "Paid", "已付款"),
        ("shipped", "Shipped", "已发货"),
        ("completed", "Completed", "已完成"),
        ("cancelled", "Cancelled", "已取消"),
        ("refunded", "Refunded", "已退款"),
    ];
    let fields = vec![
        Field { required: true, indexed: true, ..field("number", ("Number", "单号"), FieldKind::Text, Unique) },
        field("status", ("Status", "状态"), choice(&status), Plain),
        field("amount", ("Amount", "金额"), FieldKind::Money, Plain),
        field("ordered_at", ("Ordered at", "下单时间"), FieldKind::DateTime, Indexed),
        field("contact", ("Contact", "联系人"), to("contact"), Indexed),
        field("company", ("Company", "公司"), to("company"), Indexed),
        field("deal", ("Deal", "商机"), to("deal"), Plain),
        field("items", ("Items", "明细"), FieldKind::Json, Plain),
    ];
    object("order", ("Order", "订单"), ("Orders", "订单"), "number", fields)
}

fn priority() -> Field {
    let options =
        [("low", "Low", "低"), ("normal", "Normal", "中"), ("high", "High", "高"), ("urgent", "Urgent", "紧急")];
    field("priority", ("Priority", "优先级"), choice(&options), Plain)
}

fn ticket() -> Object {
    let status = [
        ("new", "New", "新建"),
        ("open", "Open", "处理中"),
        ("waiting", "Waiting for customer", "等待客户"),
        ("solved", "Solved", "已解决"),
        ("closed", "Closed", "已关闭"),
    ];
    let channel = [
        ("email", "E-mail", "邮件"),
        ("chat", "Chat", "聊天"),
        ("phone", "Phone", "电话"),
        ("web", "Web form", "网页表单"),
        ("social", "Social", "社交媒体"),
    ];
    let fields = vec![
        field("subject", ("Subject", "主题"), FieldKind::Text, Title),
        field("status", ("Status", "状态"), choice(&status), Indexed),
        priority(),
        field("channel", ("Channel", "渠道"), choice(&channel), Plain),
        field("category", ("Category", "类别"), FieldKind::Text, Plain),
        field("contact", ("Contact", "联系人"), to("contact"), Indexed),
        field("company", ("Company", "公司"), to("company"), Indexed),
        field("order", ("Order", "订单"), to("order"), Plain),
        field("first_response_at", ("First answer at", "首次响应时间"), FieldKind::DateTime, Plain),
        field("solved_at", ("Solved at", "解决时间"), FieldKind::DateTime, Plain),
        field("satisfaction", ("Satisfaction (1 to 5)", "满意度(1-5)"), FieldKind::Number, Plain),
        tags(),
        description(),
    ];
    object("ticket", ("Ticket", "工单"), ("Tickets", "工单"), "subject", fields)
}

fn task() -> Object {
    let status = [("open", "Open", "待办"), ("done", "Done", "已完成")];
    let fields = vec![
        field("title", ("Title", "标题"), FieldKind::Text, Title),
        field("status", ("Status", "状态"), choice(&status), Indexed),
        field("due_at", ("Due", "截止时间"), FieldKind::DateTime, Indexed),
        priority(),
        field("remind_at", ("Remind at", "提醒时间"), FieldKind::DateTime, Plain),
        field("done_at", ("Done at", "完成时间"), FieldKind::DateTime, Plain),
        description(),
    ];
    object("task", ("Task", "任务"), ("Tasks", "任务"), "title", with_about(fields))
}

fn note() -> Object {
    let fields = vec![
        field("title", ("Title", "标题"), FieldKind::Text, Title),
        field("body", ("Text", "内容"), FieldKind::LongText, Searched),
    ];
    object("note", ("Note", "备注"), ("Notes", "备注"), "title", with_about(fields))
}

fn meeting() -> Object {
    let fields = vec![
        field("title", ("Title", "标题"), FieldKind::Text, Title),
        field("starts_at", ("Starts", "开始"), FieldKind::DateTime, Indexed),
        field("ends_at", ("Ends", "结束"), FieldKind::DateTime, Plain),
        field("location", ("Place", "地点"), FieldKind::Text, Plain),
        field("attendees", ("Attendees", "参会人"), to_many("contact"), Plain),
        field("outcome", ("Outcome", "结果"), FieldKind::Text, Plain),
        description(),
    ];
    object("meeting", ("Meeting", "会议"), ("Meetings", "会议"), "title", with_about(fields))
}

fn call() -> Object {
    let direction = [("inbound", "Inbound", "呼入"), ("outbound", "Outbound", "呼出")];
    let outcome = [
        ("reached", "Reached", "已接通"),
        ("no_answer", "No answer", "无人接听"),
        ("voicemail", "Voicemail", "语音留言"),
        ("wrong_number", "Wrong number", "号码错误"),
    ];
    let fields = vec![
        field("title", ("Title", "标题"), FieldKind::Text, Title),
        field("direction", ("Direction", "方向"), choice(&direction), Plain),
        field("called_at", ("Called at", "通话时间"), FieldKind::DateTime, Indexed),
        field("minutes", ("Minutes", "分钟"), FieldKind::Number, Plain),
        field("phone", ("Phone", "电话"), FieldKind::Phone, Plain),
        field("outcome", ("Outcome", "结果"), choice(&outcome), Plain),
        description(),
    ];
    object("call", ("Call", "通话"), ("Calls", "通话"), "title", with_about(fields))
}

fn file() -> Object {
    let fields = vec![
        field("name", ("Name", "名称"), FieldKind::Text, Title),
        field("media_type", ("Media type", "类型"), FieldKind::Text, Plain),
        field("size", ("Size (bytes)", "大小(字节)"), FieldKind::Number, Plain),
        // The content is kept by its hash; two files with the same content are kept once.
        field("hash", ("Hash", "哈希"), FieldKind::Text, Indexed),
    ];
    object("file", ("File", "文件"), ("Files", "文件"), "name", with_about(fields))
}
