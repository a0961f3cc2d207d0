//! As much HTTP as a chore needs: one GET to our own server on the loopback address.
//!
//! HTTP/1.0 on purpose: the answer then ends with the connection and is never chunked.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::failure::Failure;

const PATIENCE: Duration = Duration::from_secs(10);

/// Status and JSON body of `GET path`, with this API key.
pub(crate) fn get(address: SocketAddr, path: &str, api_key: &str) -> Result<(u16, Value), Failure> {
    get_as(address, path, &format!("Authorization: Bearer {api_key}"))
}

/// The same, with this header.
pub(crate) fn get_as(address: SocketAddr, path: &str, header: &str) -> Result<(u16, Value), Failure> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n{header}\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    parse(&String::from_utf8_lossy(&answer))
}

fn parse(answer: &str) -> Result<(u16, Value), Failure> {
    let status = answer.split_whitespace().nth(1).and_then(|status| status.parse().ok());
    let (Some(status), Some((_, body))) = (status, answer.split_once("\r\n\r\n")) else {
        return Err(Failure::new(format!("not an HTTP answer: {answer:.80}")));
    };
    Ok((status, serde_json::from_str(body).unwrap_or(Value::Null)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn an_answer_is_read_to_its_end() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let length = stream.read(&mut request).unwrap();
            stream.write_all(b"HTTP/1.1 404 Not Found\r\nx: y\r\n\r\n{\"a\":1}").unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        let (status, body) = get(address, "/v1/x", "key").unwrap();
        assert_eq!((status, body["a"].as_u64()), (404, Some(1)));
        let request = server.join().unwrap();
        assert!(request.starts_with("GET /v1/x HTTP/1.0") && request.contains("Bearer key"), "{request}");
        assert!(parse("nonsense").is_err());
    }
}
