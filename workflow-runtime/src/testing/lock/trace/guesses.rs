//! Values that a type may take, where something that comes after it can only be seen once it has one.

pub(super) const INTEGERS: [i8; 7] = [0, 1, 2, 7, 24, 100, -1];

pub(super) const FLOATS: [f32; 4] = [0.0, 1.0, 0.5, 100.0];

/// From the plainest to forms that types check for: times, addresses, ids, codes.
pub(super) const TEXTS: [&str; 36] = [
    "",
    "a",
    "0",
    "1",
    "A",
    "2000-01-01T00:00:00Z",
    "2000-01-01T00:00:00+00:00",
    "2000-01-01T00:00:00",
    "2000-01-01T00:00:00+00:00[UTC]",
    "2000-01-01 00:00:00 UTC",
    "2000-01-01",
    "2000-01",
    "00:00:00",
    "00:00",
    "PT1S",
    "1s",
    "UTC",
    "Europe/Berlin",
    "+00:00",
    "00000000-0000-4000-8000-000000000000",
    "http://example.com/",
    "example.com",
    "a@example.com",
    "127.0.0.1",
    "::1",
    "127.0.0.1:80",
    "[::1]:80",
    "/",
    "EUR",
    "EUR 1.00",
    "DE",
    "en",
    "1.0.0",
    "#000000",
    "00",
    "AAAA",
];
