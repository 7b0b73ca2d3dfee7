//! A library that knows no workflow, used on one.

use workflow_runtime::prelude::*;
use workflow_runtime::{Engine, ManualClock, Timestamp};
use workflow_tests::audit::Exporter;

/// Written, not read yet.
#[state]
pub struct Draft {
    pub text: String,
}

/// Somebody reads it.
#[state]
pub struct Review {
    pub text: String,
    pub readers: u32,
}

/// Everybody can read it.
#[state(end)]
pub struct Published {
    pub text: String,
}

/// Nobody will.
#[state(end)]
pub struct Dropped;

#[event]
pub struct Submit;

#[event]
pub struct Verdict {
    pub good: bool,
}

pub struct Article;

#[workflow(start = Draft)]
impl Article {
    #[on]
    fn submitted(&self, draft: Draft, _: Submit) -> Review {
        Review { text: draft.text, readers: 0 }
    }

    #[after("30d")]
    fn forgotten(&self, _: Draft) -> Dropped {
        Dropped
    }

    #[on]
    fn judged(&self, review: Review, verdict: Verdict) -> Next<(Published, Draft)> {
        if verdict.good { goto(Published { text: review.text }) } else { goto(Draft { text: review.text + "!" }) }
    }

    #[after("7d")]
    fn no_reader(&self, _: Review) -> Dropped {
        Dropped
    }
}

#[test]
fn an_exporter_that_knows_no_workflow_tells_what_this_one_did() {
    workflow_runtime::block_on(async {
        let clock = ManualClock::new(Timestamp::EPOCH);
        let engine = Engine::in_memory().clock(clock.clone()).workflow(Article).start().await.unwrap();
        let draft = |text: &str| Draft { text: text.to_owned() };
        let good = engine.start::<Article>("good", draft("once")).await.unwrap();
        engine.start::<Article>("idle", draft("upon")).await.unwrap();
        for good_at_last in [false, true] {
            good.send(Submit).await.unwrap();
            good.send(Verdict { good: good_at_last }).await.unwrap();
        }
        good.outcome().await.unwrap();

        let exporter = Exporter::<Article>::default();
        assert_eq!(
            exporter.export(&engine).await.unwrap(),
            [
                r#"{"id":"good","state":{"published":{"text":"once!"}},"ended":true,"took":["SubmittedToReview","JudgedToDraft","SubmittedToReview","JudgedToPublished"]}"#,
                r#"{"id":"idle","state":{"draft":{"text":"upon"}},"ended":false,"took":[]}"#,
            ]
        );
        assert_eq!(
            exporter.definition().lines().collect::<Vec<_>>(),
            [
                "state draft: Written, not read yet.",
                "state review: Somebody reads it.",
                "end dropped: Nobody will.",
                "end published: Everybody can read it.",
                "edge SubmittedToReview: draft to review by submitted",
                "edge ForgottenToDropped: draft to dropped by forgotten",
                "edge JudgedToPublished: review to published by judged",
                "edge JudgedToDraft: review to draft by judged",
                "edge NoReaderToDropped: review to dropped by no_reader",
            ]
        );
    });
}
