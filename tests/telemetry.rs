//! The spans that an engine makes, as a subscriber sees them. A process of its own: what is of interest to a subscriber is
//! remembered for the whole process.

use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

use workflow_runtime::Engine;
use workflow_runtime::prelude::*;

/// Writes down every new span: the names of those around it, its own, and its fields.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<String>>>);

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0 += &format!(" {}={value:?}", field.name());
    }
}

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields(String::new());
        attributes.record(&mut fields);
        let scope = context.span_scope(id).expect("the span was just made");
        let names: Vec<_> = scope.from_root().map(|span| span.name()).collect();
        self.0.lock().unwrap().push(names.join("/") + &fields.0);
    }
}

#[state]
pub struct Draft;

#[state]
pub struct Working;

#[state(end)]
pub struct Done;

#[event]
pub struct Go;

pub struct Job;

#[workflow(start = Draft, allow(endless_wait, fragile_step))]
impl Job {
    #[on]
    fn go(&self, _: Draft, _: Go) -> Working {
        Working
    }

    #[state]
    async fn work(&self, cx: &Cx, _: Working) -> Result<Done> {
        self.first(cx).await?;
        self.second(cx).await?;
        Ok(Done)
    }

    #[step]
    async fn first(&self, _: &Cx) -> Result<()> {
        Ok(())
    }

    #[step(retry(max = 2, backoff = "1ms..1ms"))]
    async fn second(&self, cx: &Cx) -> Result<()> {
        if cx.attempt() == 1 { Err(Error::msg("once")) } else { Ok(()) }
    }
}

#[test]
fn every_visit_and_every_attempt_of_a_step_has_a_span_with_the_execution() {
    let spans = Spans::default();
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(spans.clone())).unwrap();
    workflow_runtime::block_on(async {
        let engine = Engine::in_memory().workflow(Job).start().await.unwrap();
        let job = engine.start::<Job>("order-17", Draft).await.unwrap();
        job.send(Go).await.unwrap();
        job.outcome().await.unwrap();
    });
    let visit = |state: &str, visit: u32, handler: &str| {
        format!(r#"visit workflow="Job" execution=order-17 state="{state}" visit={visit} handler="{handler}""#)
    };
    let step = |step: &str, attempt: u32| {
        format!(r#"visit/step step="{step}" attempt={attempt} workflow="Job" execution=order-17"#)
    };
    let mut spans = spans.0.lock().unwrap().clone();
    // A pause under a millisecond is none, so that the same turn goes on.
    spans.dedup();
    let again = spans.iter().rposition(|span| *span == visit("working", 2, "work"));
    assert!(again.is_some_and(|again| again == 1 || again == 4), "{spans:#?}");
    let told: std::collections::BTreeSet<_> = spans.iter().map(String::as_str).collect();
    let expected =
        [visit("draft", 1, "go"), visit("working", 2, "work"), step("first", 1), step("second", 1), step("second", 2)];
    assert_eq!(told, expected.iter().map(String::as_str).collect());
}
