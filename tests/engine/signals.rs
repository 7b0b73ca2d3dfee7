//! A process that is told to stop.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use super::fixture::{Act, World, test};

/// The process of the test below: a step that never ends, on a clock that stands still.
fn hang() {
    test(async {
        let world = World::default();
        world.script.will("first", Act::Hang);
        let engine = world.builder().shutdown_on_ctrl_c().start().await.unwrap();
        let job = world.working(&engine, "a").await;
        world.script.called().await;
        println!("\nready");
        job.outcome().await.unwrap_err();
        println!("\nstopping");
        std::future::pending::<()>().await;
    });
}

#[test]
fn the_second_signal_ends_the_process_while_the_first_one_waits_for_running_steps() {
    // The process is this test itself, told by the environment to be that.
    const TOLD: &str = "WORKFLOW_TEST_HANG";
    const NAME: &str = "signals::the_second_signal_ends_the_process_while_the_first_one_waits_for_running_steps";
    if std::env::var_os(TOLD).is_some() {
        return hang();
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", NAME, "--nocapture"]).env(TOLD, "1").stdout(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
    for said in ["ready", "stopping"] {
        assert!(lines.any(|line| line == said));
        terminate(&process);
    }
    assert_eq!(process.wait().unwrap().code(), Some(130));
}

fn terminate(process: &Child) {
    assert!(Command::new("kill").args(["-TERM", &process.id().to_string()]).status().unwrap().success());
}
