//! What a file's letters are encoded in, and reading them as UTF-8.
//!
//! A byte order mark decides, and so do NUL bytes at every other place (UTF-16). Otherwise the whole file was looked at when it
//! came: it is UTF-8 if all of it is, else GB18030 if all of it is, else Windows-1252, which takes every byte.

use std::io::{self, BufRead, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// How much is decoded at once.
const CHUNK: usize = 64 << 10;

/// Looks at a file while it comes.
pub(super) struct Detector {
    head: Vec<u8>,
    candidates: Vec<(&'static Encoding, Decoder)>,
    scratch: Vec<u8>,
}

impl Detector {
    pub(super) fn new() -> Self {
        let candidates = [UTF_8, GB18030].map(|encoding| (encoding, encoding.new_decoder_without_bom_handling()));
        Self { head: Vec::new(), candidates: candidates.into(), scratch: vec![0; CHUNK * 3 + 16] }
    }

    pub(super) fn take(&mut self, bytes: &[u8]) {
        let missing = CHUNK.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..missing]);
        for chunk in bytes.chunks(CHUNK) {
            self.judge(chunk, false);
        }
    }

    fn judge(&mut self, bytes: &[u8], last: bool) {
        let scratch = &mut self.scratch;
        self.candidates.retain_mut(|(_, decoder)| {
            let (result, ..) = decoder.decode_to_utf8_without_replacement(bytes, scratch, last);
            !matches!(result, DecoderResult::Malformed(..))
        });
    }

    /// The encoding, and how many bytes of a mark come first.
    pub(super) fn end(mut self) -> (&'static Encoding, usize) {
        self.judge(&[], true);
        if let Some(marked) = Encoding::for_bom(&self.head) {
            return marked;
        }
        let encoding = utf16(&self.head).or_else(|| self.candidates.first().map(|(encoding, _)| *encoding));
        (encoding.unwrap_or(WINDOWS_1252), 0)
    }
}

/// UTF-16 without a mark: in text of the western world every other byte is NUL.
fn utf16(sample: &[u8]) -> Option<&'static Encoding> {
    let zeros = |offset: usize| sample.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count() * 2;
    let most = sample.len() * 4 / 5;
    match (zeros(0), zeros(1)) {
        _ if sample.len() < 8 => None,
        (even, odd) if even >= most && odd * 20 < sample.len() => Some(UTF_16BE),
        (even, odd) if odd >= most && even * 20 < sample.len() => Some(UTF_16LE),
        _ => None,
    }
}

/// Reads UTF-8 from bytes of another encoding; what is no letter in it becomes U+FFFD.
pub(super) struct Decoded<R> {
    inner: R,
    decoder: Decoder,
    text: String,
    given: usize,
    ended: bool,
}

impl<R: BufRead> Decoded<R> {
    pub(super) fn new(inner: R, encoding: &'static Encoding) -> Self {
        let decoder = encoding.new_decoder_with_bom_removal();
        Self { inner, decoder, text: String::with_capacity(CHUNK * 3 + 16), given: 0, ended: false }
    }

    fn decode(&mut self) -> io::Result<()> {
        self.text.clear();
        self.given = 0;
        let raw = self.inner.fill_buf()?;
        let last = raw.is_empty();
        let raw = &raw[..raw.len().min(CHUNK)];
        let (_, read, _) = self.decoder.decode_to_string(raw, &mut self.text, last);
        self.inner.consume(read);
        self.ended = last;
        Ok(())
    }
}

impl<R: BufRead> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() && !self.ended {
            self.decode()?;
        }
        let ready = &self.text.as_bytes()[self.given..];
        let count = ready.len().min(buffer.len());
        buffer[..count].copy_from_slice(&ready[..count]);
        self.given += count;
        Ok(count)
    }
}
