//! The words of a report, in each language. A text that lacked one language would not compile.

use serde::{Deserialize, Serialize};

/// The language of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Simplified Chinese.
    Chinese,
}

impl Language {
    /// As an HTML `lang` attribute.
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }
}

macro_rules! texts {
    ($($name:ident: $english:literal, $chinese:literal;)*) => {
        /// The words of one language; `{}` is filled in by [`fill`].
        pub(super) struct Texts { $(pub(super) $name: &'static str,)* }

        const ENGLISH: Texts = Texts { $($name: $english,)* };
        const CHINESE: Texts = Texts { $($name: $chinese,)* };
        #[cfg(test)]
        pub(super) const ALL: &[(&str, &str, &str)] = &[$((stringify!($name), $english, $chinese),)*];
    };
}

/// The words of a language.
pub(super) fn texts(language: Language) -> &'static Texts {
    match language {
        Language::English => &ENGLISH,
        Language::Chinese => &CHINESE,
    }
}

/// Puts `parts` where the text says `{}`, in order.
pub(super) fn fill(text: &str, parts: &[&str]) -> String {
    let mut pieces = text.split("{}");
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for (at, piece) in pieces.enumerate() {
        filled.push_str(parts.get(at).copied().unwrap_or_default());
        filled.push_str(piece);
    }
    filled
}

texts! {
    report: "Model report", "模型报告";
    subtitle: "Measured on {} rows that the model had not seen; {} of them are positive.", "在模型未见过的 {} 行数据上测得，其中 {} 为正例。";
    in_words: "In short", "要点";
    word_rank: "Of a positive and a negative row drawn at random, the positive one gets the higher probability in {} of all cases.", "随机抽取一个正例和一个负例，正例得到更高概率的可能性为 {}。";
    word_top: "The tenth of rows with the highest probabilities holds {} of all positives: {} times as many as a random tenth.", "概率最高的十分之一数据包含了全部正例的 {}，是随机选取的 {} 倍。";
    word_calibrated: "Told probabilities are off by {} percentage points on average.", "给出的概率平均偏差 {} 个百分点。";
    figures: "Figures and baselines", "指标与基线";
    figures_note: "Beside the model stand simple means on the same rows. In brackets: interval at the level the report was made with, where computed.", "模型旁边是同一数据上的简单方法。方括号内为置信区间（如已计算）。";
    figure: "Figure", "指标";
    model: "Model", "模型";
    base_rate: "Base rate", "基准率";
    best_feature: "Best single input: {}", "最佳单一输入：{}";
    auc: "ROC AUC", "ROC 曲线下面积（AUC）";
    average_precision: "Average precision (PR AUC)", "平均精确率（PR AUC）";
    log_loss: "Log-loss", "对数损失";
    brier: "Brier score", "Brier 分数";
    ece: "Calibration error (ECE)", "校准误差（ECE）";
    ks: "KS distance", "KS 距离";
    higher: "higher is better", "越高越好";
    lower: "lower is better", "越低越好";
    ranking: "Order", "排序能力";
    roc: "ROC curve", "ROC 曲线";
    roc_alt: "ROC curve with an area of {}. The diagonal is chance.", "ROC 曲线，面积 {}。对角线表示随机。";
    false_positive_rate: "False positive rate", "假正例率";
    true_positive_rate: "True positive rate", "真正例率";
    pr: "Precision and recall", "精确率与召回率";
    pr_alt: "Precision by recall, average precision {}. The dashed line is the base rate, {}.", "精确率随召回率变化，平均精确率 {}。虚线为基准率 {}。";
    recall: "Recall", "召回率";
    precision: "Precision", "精确率";
    lift: "Lift by tenth", "十分位提升度";
    lift_alt: "Lift of each tenth of the rows, from the highest probabilities; the first has {}. A lift of 1 is chance.", "按概率从高到低每十分之一的提升度，首个为 {}。提升度 1 表示随机。";
    top_tenth: "in the highest tenth", "概率最高的十分之一";
    tenth: "Tenth of rows, highest probability first", "按概率从高到低的十分位";
    lift_axis: "Lift", "提升度";
    rate: "Rate of positives", "正例率";
    gain: "Share of all positives so far", "累计正例占比";
    calibration: "Calibration", "校准";
    calibration_alt: "Observed rate by predicted probability in {} bins of equal count, with 95 % intervals. On the diagonal, probabilities are right.", "按预测概率分为 {} 个等量区间的实际正例率及 95% 区间。位于对角线表示概率准确。";
    predicted: "Predicted probability", "预测概率";
    observed: "Observed rate", "实际正例率";
    interval: "95 % interval", "95% 区间";
    rows: "Rows", "行数";
    numbers: "The numbers", "数据";
    decision: "Decisions at the chosen cost", "按所选成本决策";
    decision_note: "Acting on a negative costs {}, missing a positive costs {}: act from a probability of {}.", "对负例采取行动的成本为 {}，错过正例的成本为 {}：概率达到 {} 时采取行动。";
    decision_outcome: "Then {} of those acted on are positive (precision), {} of all positives are reached (recall), and mistakes cost {} per row.", "此时采取行动的数据中 {} 为正例（精确率），全部正例中 {} 被覆盖（召回率），平均每行错误成本为 {}。";
    confusion: "Confusion matrix", "混淆矩阵";
    act: "Act", "行动";
    leave: "Leave", "不行动";
    is_positive: "Is positive", "实际为正";
    is_negative: "Is negative", "实际为负";
    leaks: "Leak warnings", "泄漏警告";
    no_leaks: "No input looks as if it knew the answer in advance.", "没有输入看起来提前知道答案。";
    leak_left_out: "was left out because it is not known in time. With it the model would seem to reach an AUC of {}.", "因无法及时获知而被排除。若使用它，模型的 AUC 表面上会达到 {}。";
    leak_kept: "was kept. Without all columns that are warned of the model would reach an AUC of {}.", "已保留。去掉所有被警告的列后，模型的 AUC 为 {}。";
    importance: "What it depends on", "模型依赖什么";
    importance_note: "How much the AUC falls when one input is shuffled among the rows. Whiskers: deviation between repeats.", "将某一输入在各行之间打乱后 AUC 的下降幅度。须线为多次重复之间的标准差。";
    importance_alt: "Bars of importance; most important: {}.", "重要性条形图；最重要的是：{}。";
    dependence: "How the answer moves", "答案如何变化";
    dependence_note: "The mean probability when one input is set to a value in all rows, others as they are; all to one scale. It tells what the model does, not what causes what.", "将所有行的某一输入设为同一值（其余不变）时的平均概率；所有图同一刻度。它说明模型的行为，而非因果关系。";
    dependence_alt: "Mean probability by {}, from {} to {}.", "平均概率随 {} 变化，介于 {} 与 {} 之间。";
    card: "Facts of the model", "模型信息";
    name: "Name", "名称";
    version: "Version", "版本";
    algorithm: "Algorithm", "算法";
    program: "Made with", "生成程序";
    data: "Data", "数据范围";
    from_to: "{} to {}", "{} 至 {}";
    train_rows: "Rows learnt from", "训练行数";
    test_rows: "Rows tested on", "测试行数";
    customers: "Customers", "客户数";
    split: "Split", "划分方式";
    split_stratified: "at random, by label", "按标签分层随机";
    split_customers: "by customer", "按客户";
    split_time: "by time", "按时间";
    split_time_customers: "by time and customer", "按时间与客户";
    calibrated_by: "Calibrated by", "校准方法";
    seed: "Seed", "随机种子";
    inputs: "Inputs", "输入";
}
