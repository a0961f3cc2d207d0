//! A Rust file as the checks need it: code with comments and literals blanked out, and which lines are test code.
//!
//! It is a scanner of tokens, not a parser: enough to tell code from text, and to find the end of a block. A macro that
//! builds code from strings is not seen through.

/// The code of a Rust file, of the same length and with the same line ends as the text, with every comment, string and
/// character literal turned into spaces.
pub(crate) fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => line_end(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'*') => block_comment_end(bytes, at),
            b'"' => string_end(bytes, at),
            b'r' | b'b' | b'c' if !is_word(bytes, at) => match raw_string_end(bytes, at) {
                Some(end) => end,
                None => {
                    at += 1;
                    continue;
                }
            },
            b'\'' => match character_end(bytes, at) {
                Some(end) => end,
                None => {
                    at += 1;
                    continue;
                }
            },
            _ => {
                at += 1;
                continue;
            }
        };
        for byte in &mut out[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Whether the byte at `at` continues a word that began before it, so that `for"` is no raw string.
fn is_word(bytes: &[u8], at: usize) -> bool {
    at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_')
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| at + length)
}

fn block_comment_end(bytes: &[u8], at: usize) -> usize {
    let (mut depth, mut here) = (0_u32, at);
    while here + 1 < bytes.len() {
        match &bytes[here..here + 2] {
            b"/*" => (depth, here) = (depth + 1, here + 2),
            b"*/" => {
                (depth, here) = (depth - 1, here + 2);
                if depth == 0 {
                    return here;
                }
            }
            _ => here += 1,
        }
    }
    bytes.len()
}

fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut here = at + 1;
    while here < bytes.len() {
        match bytes[here] {
            b'\\' => here += 2,
            b'"' => return here + 1,
            _ => here += 1,
        }
    }
    bytes.len()
}

/// The end of `r"..."`, `r#"..."#`, `b"..."`, `br"..."` or `c"..."` that begins at `at`, if one does.
fn raw_string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut here = at;
    let mut raw = false;
    while let Some(byte @ (b'r' | b'b' | b'c')) = bytes.get(here) {
        raw |= *byte == b'r';
        here += 1;
        if here - at > 2 {
            return None;
        }
    }
    let hashes = bytes[here..].iter().take_while(|byte| **byte == b'#').count();
    if bytes.get(here + hashes) != Some(&b'"') || (hashes > 0 && !raw) {
        return None;
    }
    if !raw {
        return Some(string_end(bytes, here));
    }
    let mut close = vec![b'"'];
    close.resize(hashes + 1, b'#');
    let body = here + hashes + 1;
    let length = bytes[body..].windows(close.len()).position(|window| window == close);
    Some(length.map_or(bytes.len(), |length| body + length + close.len()))
}

/// The end of a character literal that begins at `at`; `None` for a lifetime.
fn character_end(bytes: &[u8], at: usize) -> Option<usize> {
    if bytes.get(at + 1) == Some(&b'\\') {
        let close = bytes[at + 3..].iter().take(10).position(|byte| *byte == b'\'')?;
        return Some(at + 3 + close + 1);
    }
    // One character of up to four bytes, then the quote.
    (2..=5)
        .find(|length| bytes.get(at + length) == Some(&b'\''))
        .map(|length| at + length + 1)
        .filter(|end| std::str::from_utf8(&bytes[at + 1..end - 1]).is_ok_and(|inside| inside.chars().count() == 1))
}

/// For each line of blanked code, whether it lies in an inline `#[cfg(test)]` item.
pub(crate) fn test_lines(code: &str) -> Vec<bool> {
    let mut marks = vec![false; code.lines().count()];
    let mut from = 0;
    while let Some(found) = code[from..].find("#[cfg(test)]") {
        let begin = from + found;
        let end = item_end(code, begin);
        let (first, last) = (line_of(code, begin), line_of(code, end.saturating_sub(1)));
        for mark in marks.iter_mut().take(last + 1).skip(first) {
            *mark = true;
        }
        from = end.max(begin + 1);
    }
    marks
}

/// The end of the item that begins at `begin`: past its block, or past its semicolon if that comes first.
fn item_end(code: &str, begin: usize) -> usize {
    let mut depth = 0_u32;
    for (at, byte) in code.bytes().enumerate().skip(begin) {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            b';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

/// The line, from 0, that holds this byte.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).fold(0, |lines, byte| lines + usize::from(byte == b'\n'))
}

/// Whether the whole file is test code by its place or name.
pub(crate) fn is_test_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    path.split('/').any(|part| matches!(part, "tests" | "benches" | "testkit"))
        || matches!(name, "tests.rs" | "test.rs")
        || name.ends_with("_tests.rs")
        || name.ends_with("_test.rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_comments_are_blanked_and_code_is_not() {
        let text = "let a = \"x // {\"; // note\nlet b = 'c'; let c: &'static str = r#\"}\"\"#; /* { /* } */ */ end";
        let code = blank(text);
        assert_eq!(code.len(), text.len());
        assert!(!code.contains('{') && !code.contains('}') && !code.contains("note"), "{code}");
        assert!(code.contains("&'static str") && code.ends_with("end"), "{code}");
    }

    #[test]
    fn escaped_characters_end_where_they_should() {
        let code = blank(r"let q = '\''; let n = '\n'; let u = '\u{1F600}'; let e = 'é'; done()");
        assert!(code.ends_with("done()"), "{code}");
        assert!(!code.contains('é') && !code.contains("1F600"), "{code}");
    }

    #[test]
    fn test_items_are_marked_to_their_last_line() {
        let code = blank("fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n");
        assert_eq!(test_lines(&code), [false, true, true, true, true, false]);
        let outside = blank("#[cfg(test)]\nmod tests;\nfn c() {}\n");
        assert_eq!(test_lines(&outside), [true, true, false]);
    }
}
