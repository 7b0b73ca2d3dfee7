//! The spans that an engine makes, as a subscriber sees them.

use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

use super::fixture::{Act, World, test};

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

#[test]
fn every_visit_and_every_attempt_of_a_step_has_a_span_with_the_execution() {
    let spans = Spans::default();
    let subscriber = tracing_subscriber::registry().with(spans.clone());
    tracing::subscriber::with_default(subscriber, || {
        test(async {
            let world = World::default();
            world.script.will("second", Act::Fail("once"));
            let engine = world.engine().await;
            let job = world.working(&engine, "order-17").await;
            world.pass(&engine, std::time::Duration::from_secs(9)).await;
            job.outcome().await.unwrap();
        });
    });
    let spans = spans.0.lock().unwrap();
    let visit = |state: &str, visit: u32, handler: &str| {
        format!(r#"visit workflow="Job" execution=order-17 state="{state}" visit={visit} handler="{handler}""#)
    };
    let step = |step: &str, attempt: u32| {
        format!(r#"visit/step step="{step}" attempt={attempt} workflow="Job" execution=order-17"#)
    };
    assert_eq!(
        *spans,
        [
            visit("draft", 1, "go"),
            visit("working", 2, "work"),
            step("first", 1),
            step("second", 1),
            visit("working", 2, "work"),
            step("second", 2),
        ]
    );
}
