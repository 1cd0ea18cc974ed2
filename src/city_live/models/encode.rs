//! Writes the one kind of model that we train as ONNX: a linear map in the logarithms of a scale-free series.
//!
//! ```text
//! series [1, L] ─ Add(offset) ─ Log ─┐
//!                                    Concat ─ MatMul(weights) ─ Add(bias) ─ Exp ─ Sub(offset) ─ Relu ─► demand [1, H]
//! calendar [1, 27] ──────────────────┘
//! ```
//! The logarithm makes the fit one of relative errors, so that rare peaks do not rule it. ONNX is protobuf
//! (`onnx.proto3` of ONNX 1.12, IR version 8, operator set 13); these few messages are written by hand.

use super::local::CALENDAR;

/// The numbers of the model.
#[derive(Clone, Debug)]
pub struct Linear {
    /// Hours that go in.
    pub length: usize,
    /// Hours that come out.
    pub horizon: usize,
    /// Added before the logarithm, as hours without demand have none.
    pub offset: f32,
    /// By input (series, then calendar), then by output.
    pub weights: Vec<f32>,
    /// By output.
    pub bias: Vec<f32>,
}

impl Linear {
    /// The bytes of the ONNX file: the same model gives the same bytes.
    pub fn encode(&self) -> Vec<u8> {
        let inputs = (self.length + CALENDAR) as u64;
        let (length, horizon) = (self.length as u64, self.horizon as u64);
        let mut graph = Vec::new();
        let nodes: [(&str, &[&str], &str); 8] = [
            ("Add", &["series", "offset"], "shifted"),
            ("Log", &["shifted"], "logs"),
            ("Concat", &["logs", "calendar"], "inputs"),
            ("MatMul", &["inputs", "weights"], "weighted"),
            ("Add", &["weighted", "bias"], "log_demand"),
            ("Exp", &["log_demand"], "shifted_demand"),
            ("Sub", &["shifted_demand", "offset"], "signed_demand"),
            ("Relu", &["signed_demand"], "demand"),
        ];
        for (operator, from, to) in nodes {
            message(&mut graph, 1, &node(operator, from, to));
        }
        message(&mut graph, 2, b"demand-linear");
        for (name, dims, values) in [
            ("offset", [1, 1], [self.offset].as_slice()),
            ("weights", [inputs, horizon], self.weights.as_slice()),
            ("bias", [1, horizon], self.bias.as_slice()),
        ] {
            message(&mut graph, 5, &tensor(name, &dims, values));
        }
        message(&mut graph, 11, &value("series", [1, length]));
        message(&mut graph, 11, &value("calendar", [1, CALENDAR as u64]));
        message(&mut graph, 12, &value("demand", [1, horizon]));

        let mut model = Vec::new();
        number(&mut model, 1, 8);
        message(&mut model, 2, b"citytwin");
        message(&mut model, 7, &graph);
        let mut operators = Vec::new();
        number(&mut operators, 2, 13);
        message(&mut model, 8, &operators);
        model
    }
}

/// NodeProto: 1 input, 2 output, 3 name, 4 op_type, 5 attribute (AttributeProto: 1 name, 3 i, 20 type; 2 is INT).
fn node(operator: &str, from: &[&str], to: &str) -> Vec<u8> {
    let mut node = Vec::new();
    for name in from {
        message(&mut node, 1, name.as_bytes());
    }
    message(&mut node, 2, to.as_bytes());
    message(&mut node, 3, to.as_bytes());
    message(&mut node, 4, operator.as_bytes());
    if operator == "Concat" {
        let mut axis = Vec::new();
        message(&mut axis, 1, b"axis");
        number(&mut axis, 3, 1);
        number(&mut axis, 20, 2);
        message(&mut node, 5, &axis);
    }
    node
}

/// TensorProto: 1 dims, 2 data_type (1 is FLOAT), 8 name, 9 raw_data (little endian).
fn tensor(name: &str, dims: &[u64], values: &[f32]) -> Vec<u8> {
    let mut tensor = Vec::new();
    for dim in dims {
        number(&mut tensor, 1, *dim);
    }
    number(&mut tensor, 2, 1);
    message(&mut tensor, 8, name.as_bytes());
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    message(&mut tensor, 9, &raw);
    tensor
}

/// ValueInfoProto: 1 name, 2 type (TypeProto: 1 tensor_type: 1 elem_type, 2 shape: 1 dim: 1 dim_value).
fn value(name: &str, dims: [u64; 2]) -> Vec<u8> {
    let mut shape = Vec::new();
    for dim in dims {
        let mut length = Vec::new();
        number(&mut length, 1, dim);
        message(&mut shape, 1, &length);
    }
    let mut tensor = Vec::new();
    number(&mut tensor, 1, 1);
    message(&mut tensor, 2, &shape);
    let mut kind = Vec::new();
    message(&mut kind, 1, &tensor);
    let mut value = Vec::new();
    message(&mut value, 1, name.as_bytes());
    message(&mut value, 2, &kind);
    value
}

/// A field of varint kind.
fn number(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3);
    varint(out, value);
}

/// A field of bytes, text or a message.
fn message(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    varint(out, field << 3 | 2);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
