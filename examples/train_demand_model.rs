//! Makes the demand model that is part of the binary, and says how good it is.
//!
//! ```sh
//! cargo run --example train_demand_model -- ../shared/data/buildings
//! ```
//!
//! Reads a year of ten metered homes (`citylearn2022_building_01.csv.gz` to `_10`, CityLearn Challenge 2022) and of the weather
//! there, fits a ridge regression on the weeks that are not kept out, and prints its error beside those of the same hour last week
//! and of the heuristic on those that are. With `--write` it writes `src/city_live/models/shipped/`. There is no chance in it: the
//! same data make the same bytes.

use std::{io::Read as _, path::Path};

use anyhow::{Context as _, ensure};
use citytwin::{
    city_live::{
        models::{CALENDAR, Errors, Input, Linear, Manifest, Metrics, Model, Output, Sample, Window, calendar},
        process::{
            Rules,
            backtest::error,
            forecast::{HOURS, Profile},
            series::{Calendar, Series, hour_number},
        },
    },
    twin::time::Time,
};
use sha2::{Digest as _, Sha256};

const NAME: &str = "demand-linear";
const COMMAND: &str = "cargo run --example train_demand_model -- ../shared/data/buildings --write";
const HOMES: usize = 10;
/// The first row of the data is hour 24 of this day, so its hour begins at 23:00.
const FIRST_HOUR: &str = "2016-07-31T23:00:00Z";
const WEEK: usize = 168;
const LENGTH: usize = 168;
const HORIZON: usize = 48;
/// Two weeks at the end of each quarter of the year are kept out.
const KEPT_OUT: [usize; 2] = [11, 12];
const QUARTER: usize = 13;
/// Windows are taken every 5 hours: 5 and 24 have no common divisor, so every hour of day is met.
const STRIDE: usize = 5;
/// Added before the logarithm.
const OFFSET: f64 = 0.2;
/// Ridge: how much a weight costs, per window.
const RIDGE: f64 = 0.1;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = arguments.iter().find(|argument| !argument.starts_with("--"));
    let folder = Path::new(folder.map_or("../shared/data/buildings", String::as_str));
    let homes = (1..=HOMES)
        .map(|home| column(&folder.join(format!("citylearn2022_building_{home:02}.csv.gz")), 7))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let temperature = column(&folder.join("citylearn2022_weather.csv.gz"), 0)?;
    let together = sum(&homes);
    // Sums look more like a city than one home does; what is kept out is kept out of them, too.
    let mut training = homes.clone();
    training.extend([sum(&homes[..5]), sum(&homes[5..]), together.clone()]);

    let first = hour_number(Time::parse(FIRST_HOUR).context(FIRST_HOUR)?);
    let days = Calendar::new("UTC", first, first + together.len() as i64 + HORIZON as i64);
    let (linear, windows) = fit(&training, first, &days)?;
    let file = linear.encode();
    let mut manifest = manifest(&linear, &file, &together, first, &days);
    let model = Model::load(manifest.clone(), &file)?;

    let place = Place { first, days: &days, temperature: &temperature, model: &model };
    let each = homes.iter().map(|home| place.errors(home)).collect::<anyhow::Result<Vec<_>>>()?;
    let mean = |of: fn(&Errors) -> f64| each.iter().map(of).sum::<f64>() / each.len() as f64;
    manifest.metrics.homes = Errors {
        model: round(mean(|errors| errors.model)),
        seasonal_naive: round(mean(|errors| errors.seasonal_naive)),
        heuristic: round(mean(|errors| errors.heuristic)),
        hours: each.iter().map(|errors| errors.hours).sum(),
    };
    manifest.metrics.together = place.errors(&together)?;

    println!("{windows} training windows of {} series; kept out: weeks {}", training.len(), kept_out(together.len()));
    println!("mean absolute error over the next 24 hours / mean:");
    println!("{:<22} {:>8} {:>15} {:>10} {:>8}", "", "model", "seasonal-naive", "heuristic", "hours");
    for (name, errors) in [("ten homes, each", manifest.metrics.homes), ("all together", manifest.metrics.together)] {
        println!(
            "{name:<22} {:>8.4} {:>15.4} {:>10.4} {:>8}",
            errors.model, errors.seasonal_naive, errors.heuristic, errors.hours
        );
    }
    let text = toml::to_string(&manifest)?;
    Model::load(Manifest::parse(&text, NAME)?, &file)?;
    if arguments.iter().any(|argument| argument == "--write") {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/city_live/models/shipped");
        std::fs::write(shipped.join(format!("{NAME}.onnx")), &file)?;
        std::fs::write(shipped.join(format!("{NAME}.toml")), text)?;
        println!("written: {} bytes", file.len());
    }
    Ok(())
}

/// One column of a gzipped CSV file, by its place.
fn column(path: &Path, place: usize) -> anyhow::Result<Vec<f64>> {
    let mut text = String::new();
    let file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).with_context(|| path.display().to_string())?;
    text.lines()
        .skip(1)
        .map(|line| {
            let field = line.split(',').nth(place).unwrap_or_default();
            field.trim().parse::<f64>().with_context(|| format!("{}: `{field}` is no number", path.display()))
        })
        .collect()
}

fn sum(series: &[Vec<f64>]) -> Vec<f64> {
    let length = series.iter().map(Vec::len).min().unwrap_or_default();
    (0..length).map(|row| series.iter().map(|values| values[row]).sum()).collect()
}

fn is_kept_out(row: usize) -> bool {
    KEPT_OUT.contains(&(row / WEEK % QUARTER))
}

fn kept_out(rows: usize) -> String {
    let weeks = (0..rows / WEEK).filter(|week| is_kept_out(week * WEEK));
    weeks.map(|week| (week + 1).to_string()).collect::<Vec<_>>().join(", ")
}

/// The window that ends with a row.
fn window(values: &[f64], last: usize, first: i64, days: &Calendar) -> Window {
    let hour = first + last as i64 + 1;
    Window {
        values: values[last + 1 - LENGTH..=last].to_vec(),
        hour: days.hour_of_day(hour),
        weekend: [0, 24, 48].map(|ahead| days.is_weekend(hour + ahead)),
    }
}

/// What the regression sees of a window: logarithms, then the calendar, then 1.
fn inputs(window: &Window) -> (Vec<f64>, f64) {
    let mean = window.values.iter().sum::<f64>() / window.values.len() as f64;
    let mut inputs: Vec<f64> = window.values.iter().map(|value| (value / mean + OFFSET).ln()).collect();
    inputs.extend(calendar(window).map(f64::from));
    inputs.push(1.0);
    (inputs, mean)
}

/// Ridge regression by its normal equations: (XᵀX + λ n I) W = XᵀY; the last input, 1, is not held down.
fn fit(training: &[Vec<f64>], first: i64, days: &Calendar) -> anyhow::Result<(Linear, usize)> {
    let size = LENGTH + CALENDAR + 1;
    let mut gram = vec![vec![0.0; size]; size];
    let mut right = vec![vec![0.0; HORIZON]; size];
    let mut windows = 0;
    for values in training {
        for last in (LENGTH - 1..values.len() - HORIZON).step_by(STRIDE) {
            if (last + 1 - LENGTH..=last + HORIZON).any(is_kept_out) {
                continue;
            }
            let (inputs, mean) = inputs(&window(values, last, first, days));
            ensure!(mean > 0.0, "a week without demand");
            let outputs: Vec<f64> =
                values[last + 1..=last + HORIZON].iter().map(|value| (value / mean + OFFSET).ln()).collect();
            for (row, input) in inputs.iter().enumerate() {
                for (sum, other) in gram[row][..=row].iter_mut().zip(&inputs) {
                    *sum += input * other;
                }
                for (sum, output) in right[row].iter_mut().zip(&outputs) {
                    *sum += input * output;
                }
            }
            windows += 1;
        }
    }
    for (place, row) in gram.iter_mut().enumerate().take(size - 1) {
        row[place] += RIDGE * f64::from(windows);
    }
    solve(&mut gram, &mut right)?;
    let bias = right.pop().unwrap_or_default().into_iter().map(|value| value as f32).collect();
    let weights = right.into_iter().flatten().map(|value| value as f32).collect();
    let linear = Linear { length: LENGTH, horizon: HORIZON, offset: OFFSET as f32, weights, bias };
    Ok((linear, windows as usize))
}

/// Cholesky: `gram` holds the lower half of a positive definite matrix; `right` becomes the solution.
fn solve(gram: &mut [Vec<f64>], right: &mut [Vec<f64>]) -> anyhow::Result<()> {
    let size = gram.len();
    for row in 0..size {
        for column in 0..=row {
            let dot: f64 = (0..column).map(|k| gram[row][k] * gram[column][k]).sum();
            let value = gram[row][column] - dot;
            gram[row][column] = if row == column {
                ensure!(value > 0.0, "the normal equations are singular");
                value.sqrt()
            } else {
                value / gram[column][column]
            };
        }
    }
    for output in 0..HORIZON {
        let mut solution: Vec<f64> = right.iter().map(|row| row[output]).collect();
        for row in 0..size {
            let dot: f64 = (0..row).map(|k| gram[row][k] * solution[k]).sum();
            solution[row] = (solution[row] - dot) / gram[row][row];
        }
        for row in (0..size).rev() {
            let dot: f64 = (row + 1..size).map(|k| gram[k][row] * solution[k]).sum();
            solution[row] = (solution[row] - dot) / gram[row][row];
        }
        for (row, value) in right.iter_mut().zip(solution) {
            row[output] = value;
        }
    }
    Ok(())
}

/// What the model says, by its formula: the manifest's sample does not come from the code that it checks.
fn by_hand(linear: &Linear, window: &Window) -> Vec<f64> {
    let (inputs, mean) = inputs(window);
    (0..HORIZON)
        .map(|hour| {
            let weighted =
                inputs.iter().zip(linear.weights.chunks(HORIZON)).map(|(input, row)| input * f64::from(row[hour]));
            let log = weighted.sum::<f64>() + f64::from(linear.bias[hour]);
            (log.exp() - OFFSET).max(0.0) * mean
        })
        .collect()
}

fn manifest(linear: &Linear, file: &[u8], together: &[f64], first: i64, days: &Calendar) -> Manifest {
    // The first week that is kept out, of all homes together.
    let last = KEPT_OUT[0] * WEEK - 1;
    let mut sample = window(together, last, first, days);
    sample.values.iter_mut().for_each(|value| *value = round(*value));
    let nothing = Errors { model: 0.0, seasonal_naive: 0.0, heuristic: 0.0, hours: 0 };
    Manifest {
        name: NAME.to_owned(),
        version: "1".to_owned(),
        description:
            "Ridge regression in the logarithms of the last week's hourly demand, scale-free, trained on a year of ten \
                      metered homes in Fontana, California (CityLearn Challenge 2022)"
                .to_owned(),
        file: format!("{NAME}.onnx"),
        sha256: hex::encode(Sha256::digest(file)),
        unit: "MWh".to_owned(),
        input: Input { series: "demand_mwh".to_owned(), length: LENGTH, scaling: "mean".to_owned(), calendar: true },
        output: Output { horizon: HORIZON },
        metrics: Metrics { command: COMMAND.to_owned(), homes: nothing, together: nothing },
        sample: Sample {
            expected: by_hand(linear, &sample).into_iter().map(round).collect(),
            series: sample.values,
            hour: sample.hour,
            weekend: sample.weekend,
        },
    }
}

struct Place<'a> {
    first: i64,
    days: &'a Calendar,
    temperature: &'a [f64],
    model: &'a Model,
}

impl Place<'_> {
    /// Errors on the weeks kept out: from every hour whose next 24 lie in them, with two weeks of history before it. The heuristic
    /// is told the temperatures that came.
    fn errors(&self, values: &[f64]) -> anyhow::Result<Errors> {
        let rules = Rules::default().forecast;
        let number = |row: usize| self.first + row as i64;
        let series = |values: &[f64]| Series::new(values.iter().enumerate().map(|(row, value)| (number(row), *value)));
        let (demand, temperature) = (series(values), series(self.temperature));
        let ahead = HOURS as usize;
        let history = rules.history_days as usize * 24;
        let (mut model, mut naive, mut heuristic) = (Vec::new(), Vec::new(), Vec::new());
        for last in history - 1..values.len() - HORIZON {
            if !(last + 1..=last + ahead).all(is_kept_out) {
                continue;
            }
            let said = self.model.predict(&window(values, last, self.first, self.days))?;
            let profile = Profile::new(&demand, &temperature, self.days, number(last), &rules).context("no history")?;
            for (row, said) in (last + 1..=last + ahead).zip(said) {
                let hour = number(row);
                model.push((said, values[row]));
                naive.push((values[row - WEEK], values[row]));
                heuristic.push((profile.at(self.days.hour_of_day(hour), temperature.get(hour), &rules), values[row]));
            }
        }
        let of = |pairs: &[(f64, f64)]| error(pairs).context("nothing to compare");
        let ((model, hours), (naive, _), (heuristic, _)) = (of(&model)?, of(&naive)?, of(&heuristic)?);
        Ok(Errors { model: round(model), seasonal_naive: round(naive), heuristic: round(heuristic), hours })
    }
}

/// Four places.
fn round(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}
