//! Certificates for servers that speak TLS, made when a test needs them.

use std::{path::Path, process::Command};

/// An authority (`ca.crt`) and a server certificate (`server.crt`, `server.key`) for 127.0.0.1 and localhost.
pub fn write(folder: &Path) {
    let script = r#"
set -e
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=tests" -keyout ca.key -out ca.crt
openssl req -newkey rsa:2048 -nodes -subj "/CN=localhost" -keyout server.key -out server.csr
printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n' > server.ext
openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile server.ext -out server.crt
"#;
    let output = Command::new("sh").args(["-c", script]).current_dir(folder).output().expect("sh starts");
    assert!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
}
