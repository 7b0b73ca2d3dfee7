//! `#[main]`.

mod with_result {
    /// What the program does.
    #[workflow_runtime::main]
    pub(super) async fn main() -> Result<(), std::num::ParseIntError> {
        let number: u32 = std::future::ready("x").await.parse()?;
        assert_eq!(number, 0, "not reached");
        Ok(())
    }
}

mod without {
    use workflow_runtime::main;

    #[main]
    pub(super) async fn main() {
        std::future::ready(()).await;
    }
}

#[test]
fn it_runs_to_its_end() {
    assert!(with_result::main().is_err());
    without::main();
}
