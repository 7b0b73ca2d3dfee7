//! `ambient_time` and `ambient_task`: the clock, a pause or a task that does not survive a crash, in a handler.

use super::{Warning, is_allowed};
use crate::lint::Lint;
use crate::lints::{AmbientKind, ambient, may_be_ambient};
use crate::model::Machine;

pub(super) fn find(machine: &Machine, warnings: &mut Vec<Warning>) {
    for handler in &machine.handlers {
        let Some(body) = handler.body.as_ref().filter(|body| may_be_ambient(body.text())) else { continue };
        for call in ambient(body.block()) {
            let (lint, why) = match call.kind {
                AmbientKind::Time => {
                    (Lint::AmbientTime, "is not recorded, so after a crash the handler sees another time")
                }
                AmbientKind::Task => (Lint::AmbientTask, "runs past the journal, so a crash loses it or does it twice"),
            };
            if !is_allowed(machine, handler, lint) {
                let message = format!("`{}` in a handler {why}: use {}", call.path, call.instead);
                warnings.push(Warning { lint, span: call.span, message });
            }
        }
    }
}
