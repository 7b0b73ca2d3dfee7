//! Each lint, allowed where it would speak.

use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state]
struct Paid;

#[state(end)]
struct Done;

#[event]
struct Payment;

struct ByHandler;

#[workflow(start = Pending)]
impl ByHandler {
    #[on(allow(endless_wait))]
    fn paid(&self, _: Pending, _: Payment) -> Paid {
        Paid
    }

    #[state(allow(fragile_step, never_taken, ambient_time, ambient_task))]
    async fn ship(&self, cx: &Cx, _: Paid) -> Result<Next<(Done, Wait)>> {
        self.step(cx).await?;
        std::thread::spawn(|| std::thread::sleep(std::time::Duration::ZERO)).join().ok();
        Ok(goto(Done))
    }

    #[after("1h")]
    fn late(&self, _: Paid) -> Done {
        Done
    }

    #[step]
    async fn step(&self, _: &Cx) -> Result<()> {
        Ok(())
    }
}

struct ByWorkflow;

#[workflow(start = Pending, allow(endless_wait, fragile_step, never_taken, ambient_time, ambient_task, unmarked_step))]
impl ByWorkflow {
    #[on]
    fn paid(&self, _: Pending, _: Payment) -> Paid {
        Paid
    }

    #[state]
    async fn ship(&self, cx: &Cx, _: Paid) -> Result<Next<(Done, Wait)>> {
        self.step(cx).await?;
        self.looks_like_one(cx).await?;
        std::thread::spawn(|| std::thread::sleep(std::time::Duration::ZERO)).join().ok();
        Ok(goto(Done))
    }

    #[after("1h")]
    fn late(&self, _: Paid) -> Done {
        Done
    }

    async fn looks_like_one(&self, cx: &Cx) -> Result<String> {
        std::future::ready(()).await;
        Ok(cx.idempotency_key())
    }

    #[step]
    async fn step(&self, _: &Cx) -> Result<()> {
        Ok(())
    }
}

struct ByStep;

#[workflow(start = Paid, allow(small_machine))]
impl ByStep {
    #[state]
    async fn ship(&self, cx: &Cx, _: Paid) -> Result<Done> {
        self.step(cx).await?;
        Ok(Done)
    }

    #[step(allow(fragile_step))]
    async fn step(&self, _: &Cx) -> Result<()> {
        Ok(())
    }
}

#[test]
fn they_compile() {
    assert_eq!((ByHandler, ByWorkflow, ByStep).0.paid(Pending, Payment), Paid);
}

impl PartialEq for Paid {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl std::fmt::Debug for Paid {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Paid")
    }
}
