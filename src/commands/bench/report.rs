//! What was measured, for people and for programs.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::network::{Layer, Layers};
use super::statistics::{Summary, milliseconds};
use super::{Report, machine};

const MEGA: f64 = 1e6;

/// For people. Writing to a string cannot fail.
pub(super) fn table(report: &Report) -> String {
    let mut text = String::new();
    let (width, height) = report.size;
    let (version, cores) = (env!("CARGO_PKG_VERSION"), machine::cores());
    let _ = writeln!(text, "trailsight {version} on {}, {cores} cores", machine::processor());
    let _ = writeln!(text, "network: {} at {}, run by {}", report.model, report.input, report.runtime);
    let _ = writeln!(text, "source:  {}, {width}x{height}", report.source);
    let _ = writeln!(text, "from loading the model to the first boxes: {:.0} ms", milliseconds(report.load));
    if let Some(flow) = &report.flow {
        let _ = write!(
            text,
            "\nend to end, {}, every frame: {:.1} fps ({} frames in {:.2} s",
            threads(report.threads),
            flow.fps(),
            flow.frames,
            flow.wall.as_secs_f64()
        );
        if let Some(spent) = flow.spent {
            let _ = write!(text, ", processor {:.2} s", spent.own);
            if spent.children > 0.0 {
                let _ = write!(text, " and the decoder's {:.2} s", spent.children);
            }
        }
        if let Some(peak) = flow.peak {
            let _ = write!(text, ", peak memory {:.0} MB", peak as f64 / MEGA);
        }
        text.push_str(")\n");
    }
    if let Some(stages) = &report.stages {
        let _ = writeln!(
            text,
            "\n{:<11}{:>7}{:>10}{:>10}{:>10}  one by one on one thread, ms",
            "stage", "count", "median", "p95", "p99"
        );
        for row in &stages.rows {
            let _ = match &row.times {
                Ok(Summary { count, median, p95, p99 }) => writeln!(
                    text,
                    "{:<11}{count:>7}{median:>10.3}{p95:>10.3}{p99:>10.3}  {}",
                    row.stage, row.what
                ),
                Err(why) => writeln!(text, "{:<11}{:>7}  {why}", row.stage, 0),
            };
        }
    }
    if let Some(network) = &report.network {
        let Summary { count, median, p95, .. } = network.times;
        let _ = write!(
            text,
            "\nthe network alone, {}: median {median:.2} ms, p95 {p95:.2} ms ({count} runs",
            threads(report.threads)
        );
        if let Some(cpu) = network.cpu {
            let _ = write!(text, ", processor {cpu:.2} ms a run");
        }
        text.push_str(")\n");
    }
    if let Some(layers) = &report.layers {
        layer_table(&mut text, layers, report);
    }
    if let Some(throughput) = &report.throughput {
        let _ = writeln!(
            text,
            "\nletterbox, network and suppression, one picture per thread, {}: {:.1} fps \
             ({} pictures, each median {:.2} ms)",
            threads(throughput.workers),
            throughput.fps(),
            throughput.times.count,
            throughput.times.median
        );
    }
    text
}

fn threads(count: usize) -> String {
    format!("{count} thread{}", if count == 1 { "" } else { "s" })
}

fn layer_table(text: &mut String, layers: &Layers, report: &Report) {
    let Some(all) = &layers.layers else {
        let _ = writeln!(text, "\n{} does not report its layers.", report.runtime);
        return;
    };
    let _ = writeln!(
        text,
        "\n{:>5}  {:<36}{:>15}{:>9}{:>8}{:>10}  {}, median of {} runs",
        "layer",
        "what",
        "output",
        "ms",
        "share",
        "GFLOP/s",
        threads(report.threads),
        layers.runs
    );
    let total = total(all);
    for (index, layer) in all.iter().enumerate() {
        let [height, width, channels] = layer.shape;
        let _ = writeln!(
            text,
            "{index:>5}  {:<36}{:>15}{:>9.3}{:>7.1}%{:>10.1}",
            layer.what,
            format!("{height}x{width}x{channels}"),
            layer.time,
            100.0 * share(layer.time, total.time),
            rate(layer.flops, layer.time)
        );
    }
    let _ = writeln!(
        text,
        "{:>5}  {:<36}{:>15}{:>9.3}{:>7.1}%{:>10.1}",
        "",
        "all",
        "",
        total.time,
        100.0,
        rate(total.flops, total.time)
    );
}

fn total(layers: &[Layer]) -> Layer {
    Layer {
        what: "all".to_owned(),
        shape: [0; 3],
        flops: layers.iter().map(|layer| layer.flops).sum(),
        time: layers.iter().map(|layer| layer.time).sum(),
    }
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// Billions of operations a second.
fn rate(flops: f64, milliseconds: f64) -> f64 {
    share(flops / MEGA, milliseconds)
}

/// For programs.
pub(super) fn json(report: &Report) -> String {
    let mut all = json!({
        "program": "trailsight",
        "version": env!("CARGO_PKG_VERSION"),
        "processor": machine::processor(),
        "cores": machine::cores(),
        "threads": report.threads,
        "runtime": report.runtime,
        "model": report.model,
        "input": report.input,
        "source": report.source,
        "picture": report.size,
        "load_ms": rounded(milliseconds(report.load)),
    });
    let mut add = |name: &str, value: Value| {
        if let Value::Object(all) = &mut all {
            all.insert(name.to_owned(), value);
        }
    };
    if let Some(flow) = &report.flow {
        add(
            "end_to_end",
            json!({
                "frames": flow.frames,
                "fps": rounded(flow.fps()),
                "wall_s": rounded(flow.wall.as_secs_f64()),
                "cpu_s": flow.spent.map(|spent| rounded(spent.own)),
                "children_cpu_s": flow.spent.map(|spent| rounded(spent.children)),
                "peak_mb": flow.peak.map(|bytes| rounded(bytes as f64 / MEGA)),
            }),
        );
    }
    if let Some(stages) = &report.stages {
        let rows = stages.rows.iter().map(|row| {
            let mut value = match &row.times {
                Ok(times) => summary(times),
                Err(why) => Map::from_iter([("count".to_owned(), json!(0)), ("why".to_owned(), json!(why))]),
            };
            value.insert("stage".to_owned(), json!(row.stage));
            value.insert("what".to_owned(), json!(row.what));
            Value::Object(value)
        });
        add("stages", rows.collect());
    }
    if let Some(network) = &report.network {
        let mut value = summary(&network.times);
        value.insert("cpu_ms".to_owned(), json!(network.cpu.map(rounded)));
        add("network", Value::Object(value));
    }
    if let Some(layers) = &report.layers {
        add("layers", layer_values(layers));
    }
    if let Some(throughput) = &report.throughput {
        let mut value = summary(&throughput.times);
        value.insert("workers".to_owned(), json!(throughput.workers));
        value.insert("pictures".to_owned(), json!(throughput.pictures));
        value.insert("wall_ms".to_owned(), json!(rounded(throughput.wall_ms())));
        value.insert("fps".to_owned(), json!(rounded(throughput.fps())));
        add("detector", Value::Object(value));
    }
    format!("{all:#}\n")
}

fn summary(times: &Summary) -> Map<String, Value> {
    let values = [("median_ms", times.median), ("p95_ms", times.p95), ("p99_ms", times.p99)];
    let values = values.into_iter().map(|(name, value)| (name.to_owned(), json!(rounded(value))));
    [("count".to_owned(), json!(times.count))].into_iter().chain(values).collect()
}

/// Null where the runtime does not report its layers.
fn layer_values(layers: &Layers) -> Value {
    let Some(all) = &layers.layers else { return Value::Null };
    let total = total(all);
    let values = all.iter().map(|layer| {
        json!({
            "what": layer.what,
            "output": layer.shape,
            "flops": layer.flops,
            "ms": rounded(layer.time),
            "share": rounded(share(layer.time, total.time)),
            "gflops": rounded(rate(layer.flops, layer.time)),
        })
    });
    json!({
        "runs": layers.runs,
        "ms": rounded(total.time),
        "gflops": rounded(rate(total.flops, total.time)),
        "layers": values.collect::<Vec<_>>(),
    })
}

/// To a ten-thousandth: a tenth of a microsecond, where milliseconds are meant.
fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn report(layers: Option<Vec<Layer>>) -> Report {
        Report {
            source: "clip.avi".to_owned(),
            size: (640, 480),
            model: "m".to_owned(),
            input: "416x416".to_owned(),
            runtime: "native (AVX2)".to_owned(),
            threads: 1,
            load: Duration::from_millis(12),
            flow: None,
            stages: None,
            network: None,
            layers: Some(Layers { runs: 5, layers }),
            throughput: None,
        }
    }

    #[test]
    fn layers_have_their_share_and_rate() {
        let layer =
            |what: &str, flops, time| Layer { what: what.to_owned(), shape: [52, 40, 64], flops, time };
        let report = report(Some(vec![layer("conv 3x3", 6e6, 0.5), layer("pool", 0.0, 1.5)]));
        let text = table(&report);
        for words in ["conv 3x3", "52x40x64", "25.0%", "12.0", "75.0%", "2.000  100.0%       3.0"] {
            assert!(text.contains(words), "\"{words}\" is missing in\n{text}");
        }
        let value: Value = serde_json::from_str(&json(&report)).unwrap();
        assert_eq!(value["layers"]["layers"][1]["share"], 0.75);
        assert_eq!(value["layers"]["gflops"], 3.0);
        assert!(value.get("stages").is_none());
    }

    #[test]
    fn a_runtime_that_does_not_tell_is_no_failure() {
        let report = report(None);
        assert!(table(&report).contains("native (AVX2) does not report its layers."));
        let value: Value = serde_json::from_str(&json(&report)).unwrap();
        assert!(value.as_object().unwrap().contains_key("layers") && value["layers"].is_null());
    }
}
