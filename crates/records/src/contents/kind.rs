//! What a content is, by its first bytes; what a sender says of it is not asked.
//!
//! The signatures are those that the formats' own documents name. What could run in a browser (HTML, SVG, scripts) is text here.

/// Bytes that are looked at.
pub(super) const HEAD: usize = 4_096;
/// What is none of the kinds below.
pub(super) const UNKNOWN: &str = "application/octet-stream";
const TEXT: &str = "text/plain";

/// Where a signature stands, what it is, and of what.
const SIGNATURES: [(usize, &[u8], &str); 22] = [
    (0, b"%PDF-", "application/pdf"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"OggS", "audio/ogg"),
    (8, b"WAVE", "audio/wav"),
    (0, b"fLaC", "audio/flac"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
];

/// Parts of office documents, which are zips: the name of a part stands in clear at the head of each.
const OFFICE: [(&[u8], &str); 5] = [
    (b"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (b"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    (b"mimetypeapplication/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.text"),
    (b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "application/vnd.oasis.opendocument.spreadsheet"),
];

/// The media type of a content by its head; `goes_on` if there is more behind it.
pub(super) fn of(head: &[u8], goes_on: bool) -> &'static str {
    let fits = |(at, signature, _): &&(usize, &[u8], &str)| {
        head.get(*at..).is_some_and(|rest| rest.starts_with(signature)) && (*at != 8 || head.starts_with(b"RIFF"))
    };
    match SIGNATURES.iter().find(fits) {
        Some((.., "application/zip")) => office(head).unwrap_or("application/zip"),
        Some((.., kind)) => kind,
        None if is_text(head, goes_on) => TEXT,
        None => UNKNOWN,
    }
}

/// Whether it is a type that this module finds.
pub(super) fn is_known(kind: &str) -> bool {
    kind == TEXT
        || SIGNATURES.iter().any(|(.., known)| *known == kind)
        || OFFICE.iter().any(|(_, known)| *known == kind)
}

fn office(head: &[u8]) -> Option<&'static str> {
    let has = |part: &[u8]| head.windows(part.len()).any(|window| window == part);
    OFFICE.iter().find(|(part, _)| has(part)).map(|(_, kind)| *kind)
}

/// UTF-8 without control characters but those of lines. The head may end within a letter.
fn is_text(head: &[u8], goes_on: bool) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if goes_on && error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.is_empty() && text.chars().all(|letter| !letter.is_control() || matches!(letter, '\t' | '\n' | '\r' | '\x0c'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_is_what_its_bytes_say() {
        for (head, kind) in [
            (&b"%PDF-1.7\n"[..], "application/pdf"),
            (b"\x89PNG\r\n\x1a\n\0\0", "image/png"),
            (b"RIFF\0\0\0\0WEBPVP8", "image/webp"),
            (b"XXXX\0\0\0\0WEBPVP8", UNKNOWN),
            (b"PK\x03\x04....[Content_Types].xml....word/document.xml", OFFICE[0].1),
            (b"PK\x03\x04....a.txt", "application/zip"),
            (b"<!doctype html><script>alert(1)</script>", TEXT),
            (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", TEXT),
            ("Grüße, 你好\r\n".as_bytes(), TEXT),
            (b"a\0b", UNKNOWN),
            (b"\xff\xfe", UNKNOWN),
            (b"", UNKNOWN),
        ] {
            assert_eq!(of(head, false), kind, "{}", String::from_utf8_lossy(head));
            assert!(kind == UNKNOWN || is_known(kind));
        }
        assert!(!is_known("text/html"));
    }

    #[test]
    fn a_head_may_end_within_a_letter() {
        let cut = &"ü".as_bytes()[..1];
        assert_eq!((of(&[b"text", cut].concat(), true), of(&[b"text", cut].concat(), false)), (TEXT, UNKNOWN));
    }
}
