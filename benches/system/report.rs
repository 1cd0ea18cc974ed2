//! Figures with their goals, as a table for the terminal and for `docs/performance.md`.

use std::fmt::Write as _;

/// What a figure should be.
#[derive(Debug, Clone, Copy)]
pub enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

/// One measured value.
#[derive(Debug, Clone)]
pub struct Figure {
    what: String,
    value: f64,
    unit: &'static str,
    goal: Option<Goal>,
    note: String,
    /// The machine's load average when it was measured: other programs that compete for its cores.
    load: f64,
}

impl Figure {
    pub fn new(what: impl Into<String>, value: f64, unit: &'static str) -> Self {
        let load = super::machine::load_average();
        Self { what: what.into(), value, unit, goal: None, note: String::new(), load }
    }

    pub fn at_most(self, goal: f64) -> Self {
        Self { goal: Some(Goal::AtMost(goal)), ..self }
    }

    pub fn at_least(self, goal: f64) -> Self {
        Self { goal: Some(Goal::AtLeast(goal)), ..self }
    }

    pub fn note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }

    fn verdict(&self) -> &'static str {
        match self.goal {
            None => "",
            Some(Goal::AtMost(most)) if self.value <= most => "met",
            Some(Goal::AtLeast(least)) if self.value >= least => "met",
            Some(_) => "missed",
        }
    }

    fn cells(&self) -> [String; 6] {
        let goal = match self.goal {
            None => String::new(),
            Some(Goal::AtMost(most)) => format!("≤ {}", number(most)),
            Some(Goal::AtLeast(least)) => format!("≥ {}", number(least)),
        };
        let value = format!("{} {}", number(self.value), self.unit);
        [self.what.clone(), value, goal, self.verdict().to_owned(), format!("{:.1}", self.load), self.note.clone()]
    }
}

/// Three significant digits, thousands apart.
pub fn number(value: f64) -> String {
    let digits = match value.abs() {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        _ => 3,
    };
    let plain = format!("{value:.digits$}");
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if fraction.is_empty() { grouped } else { format!("{grouped}.{fraction}") }
}

const HEAD: [&str; 6] = ["what", "measured", "goal", "", "load", "how"];

/// The figures of one part as a table of Markdown, which is readable in a terminal too.
pub fn table(figures: &[Figure]) -> String {
    let rows: Vec<[String; 6]> = figures.iter().map(Figure::cells).collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        // The last column is text of any length: it is not padded.
        if column == 5 { 0 } else { cells.chain([HEAD[column].len()]).max().unwrap_or(0).max(3) }
    };
    let widths: Vec<usize> = (0..6).map(width).collect();
    let line = |cells: &[String; 6]| {
        let padded: Vec<String> = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("| {} |\n", padded.join(" | "))
    };
    let mut out = line(&HEAD.map(str::to_owned));
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat((*width).max(3))).collect();
    let _ = writeln!(out, "| {} |", rule.join(" | "));
    rows.iter().for_each(|row| out.push_str(&line(row)));
    out
}

/// Puts `text` between the markers of a part, so that one part can be measured anew by itself.
pub fn replace(page: &str, part: &str, text: &str) -> Option<String> {
    let begin = format!("<!-- bench: {part} -->");
    let begin = page.find(&begin)? + begin.len();
    let end = begin + page[begin..].find("<!-- end -->")?;
    Some(format!("{}\n\n{}\n\n{}", &page[..begin], text.trim_end(), &page[end..]))
}
