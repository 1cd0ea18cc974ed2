//! Progress on standard error, where that is a terminal; elsewhere nothing is drawn.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar towards `total`, counted in what `unit` names; a mere counter where the total is not known.
pub fn bar(total: Option<u64>, unit: &str) -> ProgressBar {
    let template = match total {
        Some(_) => format!("{{bar:30}} {{human_pos}} of {{human_len}} {unit}, {{per_sec:0}}, {{eta}} left {{msg}}"),
        None => format!("{{spinner}} {{human_pos}} {unit} in {{elapsed}}, {{per_sec:0}} {{msg}}"),
    };
    let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    styled(bar, &template)
}

/// Something that goes on for a while and whose length nobody knows.
pub fn spinner(what: &str) -> ProgressBar {
    let spinner = styled(ProgressBar::new_spinner(), "{spinner} {msg}");
    spinner.set_message(what.to_owned());
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    // The templates are constants; one that were wrong would only look plain.
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
