//! What is suspicious, in words.

use serde::{Deserialize, Serialize};

/// How much a column tells alone; both from 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Strength {
    /// The column.
    pub column: String,
    /// For yes and no or classes twice the area under the ROC curve less one, for numbers the share of variance explained.
    pub alone: f64,
    /// The same for knowing only whether there is a value.
    pub presence: f64,
}

/// Why a column is suspicious.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum LeakReason {
    /// It is the outcome in other words.
    Copy,
    /// It nearly determines the outcome.
    Determines,
    /// Where it has certain values, the outcome is certain.
    Certain {
        /// The share of all positive rows that have these values.
        share: f64,
    },
    /// With others that are certain too it makes up the outcome.
    Part {
        /// The others.
        others: Vec<String>,
    },
    /// It tells more than all other columns together.
    Dominates {
        /// What they tell.
        together: f64,
    },
    /// Whether it was filled in tells the outcome.
    Presence,
    /// Its name speaks of the outcome, and its values tell it.
    Name {
        /// The word.
        word: String,
    },
    /// It numbers the rows, and these stand in the order of the outcome.
    Order,
}

/// A suspicion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeakWarning {
    /// The column.
    pub column: String,
    /// Why.
    #[serde(flatten)]
    pub reason: LeakReason,
    /// How much it tells, from 0 to 1.
    pub strength: f64,
}

impl LeakWarning {
    /// What is suspicious and what to do, in English.
    pub fn in_english(&self) -> String {
        let column = &self.column;
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        let strength = percent(self.strength);
        let why = match &self.reason {
            LeakReason::Copy => format!("\"{column}\" is the outcome in other words"),
            LeakReason::Determines => format!("\"{column}\" alone nearly determines the outcome (strength {strength})"),
            LeakReason::Certain { share } => {
                let share = percent(*share);
                format!(
                    "where \"{column}\" has certain values the outcome is certain; {share} of all positive rows have them"
                )
            }
            LeakReason::Part { others } => {
                format!(
                    "\"{column}\" is a part of the outcome: together with {} it makes nearly all of it",
                    others.join(", ")
                )
            }
            LeakReason::Dominates { together } => {
                let together = percent(*together);
                format!(
                    "\"{column}\" alone tells more (strength {strength}) than all other columns together ({together})"
                )
            }
            LeakReason::Presence => {
                format!("whether \"{column}\" is filled in tells the outcome (strength {strength})")
            }
            LeakReason::Name { word } => {
                format!(
                    "the name of \"{column}\" speaks of the outcome (\"{word}\"), and its values tell it (strength {strength})"
                )
            }
            LeakReason::Order => format!("the rows stand in the order of the outcome, and \"{column}\" numbers them"),
        };
        let what = match &self.reason {
            LeakReason::Order => "Leave it out, and do not split the rows by their place.",
            LeakReason::Copy | LeakReason::Part { .. } => "Leave it out.",
            _ => "Is it known when a prediction is wanted? If it is filled in later, leave it out.",
        };
        format!("{why}. {what}")
    }

    /// The same in Chinese.
    pub fn in_chinese(&self) -> String {
        let column = &self.column;
        let percent = |share: f64| format!("{:.0}%", share * 100.0);
        let strength = percent(self.strength);
        let why = match &self.reason {
            LeakReason::Copy => format!("“{column}”就是结果本身的另一种写法"),
            LeakReason::Determines => format!("仅凭“{column}”就几乎能确定结果（强度 {strength}）"),
            LeakReason::Certain { share } => {
                format!("当“{column}”取某些值时结果是确定的；{}的正例行具有这些值", percent(*share))
            }
            LeakReason::Part { others } => {
                format!("“{column}”是结果的一部分：与 {} 合起来几乎就是全部结果", others.join("、"))
            }
            LeakReason::Dominates { together } => {
                format!("仅“{column}”一列（强度 {strength}）就强于其余所有列之和（{}）", percent(*together))
            }
            LeakReason::Presence => format!("“{column}”是否填写就能透露结果（强度 {strength}）"),
            LeakReason::Name { word } => {
                format!("“{column}”的名称与结果有关（“{word}”），其取值也能透露结果（强度 {strength}）")
            }
            LeakReason::Order => format!("各行按结果排列，而“{column}”是行的编号"),
        };
        let what = match &self.reason {
            LeakReason::Order => "请去掉该列，并且不要按行的位置划分数据。",
            LeakReason::Copy | LeakReason::Part { .. } => "请去掉该列。",
            _ => "需要预测时它是否已知？如果它是事后才填写的，请去掉该列。",
        };
        format!("{why}。{what}")
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeakReport {
    /// What every column tells alone, in the order of the table.
    pub columns: Vec<Strength>,
    /// What is suspicious, the strongest first.
    pub warnings: Vec<LeakWarning>,
}
