//! Limits of steps that branches of `#[parallel]` call: one place a call, however many branches and executions there are.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use workflow_runtime::Clock as _;
use workflow_runtime::prelude::*;

use super::world::{World, settle, test};

#[state]
pub struct Listed {
    pub with: String,
    pub items: u32,
}

#[state(end)]
pub struct Fetched {
    pub count: usize,
}

#[derive(Default)]
pub struct Site {
    under_way: AtomicU32,
    most: AtomicU32,
    calls: AtomicU32,
}

pub struct Fetcher {
    site: Arc<Site>,
}

#[workflow(start = Listed, allow(small_machine))]
impl Fetcher {
    #[state]
    async fn listed(&self, cx: &Cx, listed: Listed) -> Result<Fetched> {
        let items = 0..listed.items;
        let fetched = match listed.with.as_str() {
            "limit" => self.limited(cx, items).await?,
            _ => self.rated(cx, items).await?,
        };
        Ok(Fetched { count: fetched.len() })
    }

    #[parallel(limit = 8)]
    async fn limited(&self, cx: &Cx, #[each] item: u32) -> Result<u32> {
        self.two_at_once(cx, item).await
    }

    #[parallel(limit = 8)]
    async fn rated(&self, cx: &Cx, #[each] item: u32) -> Result<u32> {
        self.four_a_second(cx, item).await
    }

    #[step(limit = 2, retry(max = 2))]
    async fn two_at_once(&self, _: &Cx, item: u32) -> Result<u32> {
        self.fetch(item).await
    }

    #[step(rate = "4/s", retry(max = 2))]
    async fn four_a_second(&self, _: &Cx, item: u32) -> Result<u32> {
        self.fetch(item).await
    }

    async fn fetch(&self, item: u32) -> Result<u32> {
        let under_way = self.site.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.site.most.fetch_max(under_way, Ordering::SeqCst);
        self.site.calls.fetch_add(1, Ordering::SeqCst);
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        self.site.under_way.fetch_sub(1, Ordering::SeqCst);
        Ok(item)
    }
}

fn listed(with: &str, items: u32) -> Listed {
    Listed { with: with.to_owned(), items }
}

#[test]
fn branches_of_several_executions_share_a_limit() {
    test(async {
        let (world, site) = (World::default(), Arc::new(Site::default()));
        let engine = world.builder().workflow(Fetcher { site: Arc::clone(&site) }).start().await.unwrap();
        let mut runs = Vec::new();
        for id in ["a", "b", "c"] {
            runs.push(engine.start::<Fetcher>(id, listed("limit", 30)).await.unwrap());
        }
        for run in runs {
            assert!(matches!(run.outcome().await.unwrap(), FetcherOutcome::Fetched(fetched) if fetched.count == 30));
        }
        assert_eq!((site.most.load(Ordering::SeqCst), site.calls.load(Ordering::SeqCst)), (2, 90));
    });
}

#[test]
fn branches_on_several_threads_share_a_limit() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async {
        let (world, site) = (World::default(), Arc::new(Site::default()));
        let engine = world.builder().workflow(Fetcher { site: Arc::clone(&site) }).start().await.unwrap();
        let mut runs = Vec::new();
        for id in 0..20 {
            runs.push(engine.start::<Fetcher>(id.to_string(), listed("limit", 20)).await.unwrap());
        }
        for run in runs {
            assert!(matches!(run.outcome().await.unwrap(), FetcherOutcome::Fetched(fetched) if fetched.count == 20));
        }
        assert!(site.most.load(Ordering::SeqCst) <= 2);
        assert_eq!(site.calls.load(Ordering::SeqCst), 400);
        let left: Vec<_> =
            engine.limits().into_iter().filter(|state| state.in_use + state.waiting as u32 > 0).collect();
        assert!(left.is_empty(), "{left:?}");
    });
}

#[test]
fn branches_wait_for_a_rate_without_a_task_and_none_is_made_twice() {
    test(async {
        let (world, site) = (World::default(), Arc::new(Site::default()));
        let engine = world.builder().workflow(Fetcher { site: Arc::clone(&site) }).start().await.unwrap();
        let run = engine.start::<Fetcher>("a", listed("rate", 20)).await.unwrap();
        settle(&engine).await;
        for second in 1..5 {
            assert_eq!((site.calls.load(Ordering::SeqCst), engine.active()), (second * 4, 0));
            world.pass(&engine, Duration::from_secs(1)).await;
        }
        assert!(matches!(run.outcome().await.unwrap(), FetcherOutcome::Fetched(fetched) if fetched.count == 20));
        assert_eq!((site.calls.load(Ordering::SeqCst), world.clock.now().as_millis()), (20, 4_000));
    });
}
