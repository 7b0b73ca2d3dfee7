//! What becomes of one release: the whole machine.

use workflow_runtime::prelude::*;

use crate::cluster::{Broken, Cluster, Deployed, Release, Service, Stage};

/// It is tried out where nobody minds.
#[state]
#[derive(Debug)]
pub struct Dev {
    pub(crate) release: Release,
}

/// It is tried out among copies of everything. What runs in dev stays there from here on.
#[state(pivot)]
#[derive(Debug)]
pub struct Staging {
    pub(crate) release: Release,
}

/// It works in staging, and somebody is to say whether it may go on.
#[state]
#[derive(Debug)]
pub struct Gate {
    pub(crate) release: Release,
}

/// It goes to the customers. What runs in staging stays there from here on.
#[state(pivot)]
#[derive(Debug)]
pub struct Production {
    pub(crate) release: Release,
    pub(crate) approved_by: String,
}

/// The customers have it.
#[state(end)]
#[derive(Debug)]
pub struct Live {
    pub(crate) approved_by: String,
}

/// It was taken back where it was last.
#[state(end)]
#[derive(Debug)]
pub struct RolledBack {
    pub(crate) why: String,
}

/// Somebody opens the gate, or closes it.
#[event]
#[derive(Debug)]
pub struct Decision {
    pub(crate) by: String,
    pub(crate) approved: bool,
}

/// Rolls one release out.
#[derive(Debug)]
pub struct Rollout {
    /// Where services run.
    pub cluster: Cluster,
}

#[workflow(start = Dev)]
impl Rollout {
    #[state]
    async fn dev(&self, cx: &Cx, s: Dev) -> Result<Staging> {
        self.deploy_all(cx, Stage::Dev, s.release.services.clone()).await?;
        self.test_all(cx, Stage::Dev, s.release.services.clone()).await?;
        Ok(Staging { release: s.release })
    }

    #[state]
    async fn staging(&self, cx: &Cx, s: Staging) -> Result<Gate> {
        self.deploy_all(cx, Stage::Staging, s.release.services.clone()).await?;
        self.test_all(cx, Stage::Staging, s.release.services.clone()).await?;
        Ok(Gate { release: s.release })
    }

    #[on]
    fn decided(&self, s: Gate, decision: Decision) -> Next<(Production, Unwind<RolledBack>)> {
        if decision.approved {
            goto(Production { release: s.release, approved_by: decision.by })
        } else {
            unwind(RolledBack { why: format!("{} said no", decision.by) })
        }
    }

    #[after("3s")]
    fn undecided(&self, _: Gate) -> Unwind<RolledBack> {
        Unwind(RolledBack { why: "nobody decided in time".into() })
    }

    #[state]
    async fn production(&self, cx: &Cx, s: Production) -> Result<Live> {
        self.deploy_all(cx, Stage::Production, s.release.services.clone()).await?;
        self.test_all(cx, Stage::Production, s.release.services).await?;
        Ok(Live { approved_by: s.approved_by })
    }

    /// A test failed, wherever it was.
    #[catch]
    fn broken(&self, _: RolloutLive, error: Broken) -> Unwind<RolledBack> {
        Unwind(RolledBack { why: error.to_string() })
    }

    #[parallel]
    async fn deploy_all(&self, cx: &Cx, stage: Stage, #[each] service: Service) -> Result<()> {
        self.deploy(cx, stage, &service).await?;
        Ok(())
    }

    /// All services at once; of each, one check after the other.
    #[parallel]
    async fn test_all(&self, cx: &Cx, stage: Stage, #[each] service: Service) -> Result<()> {
        self.starts(cx, stage, &service).await?;
        self.answers(cx, stage, &service).await?;
        self.agrees(cx, stage, &service).await?;
        Ok(())
    }

    #[step(retry(max = 5), undo = take_back)]
    async fn deploy(&self, cx: &Cx, stage: Stage, service: &Service) -> Result<Deployed> {
        self.cluster.deploy(stage, service, cx.idempotency_key()).await
    }

    #[step(retry(max = 20, backoff = "100ms..1m"))]
    async fn take_back(&self, _: &Cx, deployed: &Deployed) -> Result<()> {
        self.cluster.take_back(deployed).await
    }

    #[step(allow(no_undo))]
    async fn starts(&self, _: &Cx, stage: Stage, service: &Service) -> Result<(), Broken> {
        self.cluster.starts(stage, service).await
    }

    #[step(allow(no_undo))]
    async fn answers(&self, _: &Cx, stage: Stage, service: &Service) -> Result<(), Broken> {
        self.cluster.answers(stage, service).await
    }

    #[step(allow(no_undo))]
    async fn agrees(&self, _: &Cx, stage: Stage, service: &Service) -> Result<(), Broken> {
        self.cluster.agrees(stage, service).await
    }
}

#[cfg(test)]
mod tests;
