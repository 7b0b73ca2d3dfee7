//! The stores of this crate.

use std::sync::Arc;

use super::Home;
use crate::store::Store;
use crate::stores::MemoryStore;

struct Memory(MemoryStore);

impl Home for Memory {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(self.0.clone())
    }
}

mod memory {
    use super::{Memory, MemoryStore};

    crate::store_conformance!(Memory(MemoryStore::new()));
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use std::sync::Arc;

    use super::{Home, Store};
    use crate::stores::SqliteStore;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }
    }

    impl Home for Folder {
        async fn open(&self) -> Arc<dyn Store> {
            Arc::new(SqliteStore::open(self.0.path().join("store.db")).unwrap())
        }
    }

    crate::store_conformance!(Folder::new());
}
