//! As much HTTP/1.1 as a load needs, made to cost little: requests are bytes that were built before, and of an answer
//! only the status and the length are looked at.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::error::BenchError;

/// Where requests go and with which header they are allowed in.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    /// Host and port.
    pub(crate) address: String,
    /// The value of the header `Authorization`.
    pub(crate) authorization: String,
}

impl Peer {
    /// The bytes of a request with a JSON body.
    pub(crate) fn request(&self, method: &str, path: &str, body: &[u8]) -> Vec<u8> {
        let mut bytes = self.head(method, path, body.len()).into_bytes();
        bytes.extend_from_slice(body);
        bytes
    }

    /// What stands before a body of this length.
    pub(crate) fn head(&self, method: &str, path: &str, length: usize) -> String {
        format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n",
            self.address, self.authorization
        )
    }
}

/// One connection, kept open.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

/// An answer's status and body.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    /// The status.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: &'a [u8],
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: &str) -> Result<Self, BenchError> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; 16 * 1024], filled: 0 })
    }

    /// Sends the bytes of a request and reads the answer.
    pub(crate) async fn call(&mut self, request: &[u8]) -> Result<Answer<'_>, BenchError> {
        self.stream.write_all(request).await?;
        self.filled = 0;
        let (status, begin, length) = loop {
            if let Some(head) = head(&self.buffer[..self.filled]) {
                break head;
            }
            self.fill().await?;
        };
        while self.filled < begin + length {
            self.fill().await?;
        }
        Ok(Answer { status, body: &self.buffer[begin..begin + length] })
    }

    async fn fill(&mut self) -> Result<(), BenchError> {
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let count = self.stream.read(&mut self.buffer[self.filled..]).await?;
        if count == 0 {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        }
        self.filled += count;
        Ok(())
    }
}

/// Status, begin and length of the body, once the head is whole. Servers of this program always tell the length.
fn head(bytes: &[u8]) -> Option<(u16, usize, usize)> {
    let end = memchr::memmem::find(bytes, b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let status = head.get(9..12)?.parse().ok()?;
    let length = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    Some((status, end + 4, length.unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_an_answer_is_read() {
        let text = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc";
        assert_eq!(head(text), Some((200, 38, 3)));
        assert_eq!(head(&text[..37]), None);
        assert_eq!(head(b"HTTP/1.1 204 No Content\r\n\r\n"), Some((204, 27, 0)));
    }
}
