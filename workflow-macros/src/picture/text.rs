//! What the picture and the table do with texts.

/// The first paragraph of a doc comment, in one line.
pub(super) fn summary(doc: &str) -> String {
    let paragraph = doc.lines().map(str::trim).skip_while(|line| line.is_empty()).take_while(|line| !line.is_empty());
    paragraph.collect::<Vec<_>>().join(" ")
}

/// As text or as an attribute's value in SVG. Whatever is not printable becomes a space.
pub(super) fn escape_xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            char if char.is_control() => escaped.push(' '),
            char => escaped.push(char),
        }
    }
    escaped
}

/// How many columns of a monospaced font a text takes.
pub(super) fn columns(text: &str) -> f64 {
    // From here on, most scripts are as wide as they are high.
    text.chars().map(|char| if char < '\u{1100}' { 1.0 } else { 2.0 }).sum()
}

/// Exact for every number of slots that fits into memory.
#[allow(clippy::cast_precision_loss, reason = "a picture has fewer than 2^52 slots")]
pub(super) fn as_f64(count: usize) -> f64 {
    count as f64
}
