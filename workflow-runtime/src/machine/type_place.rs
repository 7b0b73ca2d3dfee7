//! What tells types apart in constants, where they cannot be compared.

use std::panic::Location;

use super::graph_names::same_name;

/// Where a type is declared.
#[derive(Debug, Clone, Copy)]
pub struct TypePlace {
    /// Its name, as it is written there.
    pub(super) type_name: &'static str,
    module: &'static str,
    file: &'static str,
    line: u32,
    column: u32,
}

impl TypePlace {
    /// Of a type that does not say it.
    pub const UNKNOWN: Self = Self { type_name: "", module: "", file: "", line: 0, column: 0 };

    pub(super) const fn is(&self, other: &Self) -> bool {
        self.line == other.line
            && self.column == other.column
            && same_name(self.type_name, other.type_name)
            && same_name(self.module, other.module)
            && same_name(self.file, other.file)
    }
}

/// The place of the call, which is that of an attribute.
#[track_caller]
#[must_use]
pub const fn type_place(module: &'static str, type_name: &'static str) -> TypePlace {
    let here = Location::caller();
    TypePlace { type_name, module, file: here.file(), line: here.line(), column: here.column() }
}
