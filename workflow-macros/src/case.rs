//! Identifiers in the other cases.

/// `PendingPayment` → `pending_payment`, `HTTPCall` → `http_call`.
pub(crate) fn snake(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut snake = String::with_capacity(name.len() + 4);
    let mut before = None::<char>;
    for (index, char) in chars.iter().enumerate() {
        let next_is_lower = chars.get(index + 1).is_some_and(|next| next.is_lowercase());
        let starts_word = match before {
            Some(before) if char.is_uppercase() => {
                before.is_lowercase() || before.is_numeric() || (before.is_uppercase() && next_is_lower)
            }
            _ => false,
        };
        if starts_word {
            snake.push('_');
        }
        snake.extend(char.to_lowercase());
        before = Some(*char);
    }
    snake
}

/// `gave_up` → `GaveUp`.
pub(crate) fn camel(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut starts_word = true;
    for char in name.chars() {
        match char {
            '_' => starts_word = true,
            _ if starts_word => {
                camel.extend(char.to_uppercase());
                starts_word = false;
            }
            _ => camel.push(char),
        }
    }
    camel
}

#[cfg(test)]
mod tests {
    use super::{camel, snake};

    #[test]
    fn words_are_told_apart() {
        for (name, expected) in
            [("PendingPayment", "pending_payment"), ("HTTPCall", "http_call"), ("Step2Done", "step2_done"), ("A", "a")]
        {
            assert_eq!(snake(name), expected);
        }
        assert_eq!(camel("gave_up"), "GaveUp");
        assert_eq!(camel("final"), "Final");
        assert_eq!(camel("_paid__twice"), "PaidTwice");
    }
}
