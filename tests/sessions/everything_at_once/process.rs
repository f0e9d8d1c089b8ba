//! One process of many, and what is done to it while it runs.

use super::chance::Chance;
use crate::jumping_clock::JumpingClock;
use crate::place::was_killed;
use crate::support::outcome::Outcome;
use oauth::fault::Point;
use rustix::process::{Pid, Signal, kill_process};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

/// No process needs longer, whatever is done to it.
const PATIENCE: Duration = Duration::from_secs(150);

/// How often a process is looked at.
const LOOK: Duration = Duration::from_millis(15);

/// What is done to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    LeftAlone,
    Signal(Signal, Duration),
    /// Stopped after the first time, for the second.
    Stopped(Duration, Duration),
    /// Killed, stopped for a while or refused by the system at a point.
    AtPoint(Point, &'static str, usize),
    Clock(i64, usize),
    Deadline(u64),
}

impl Treatment {
    pub(super) fn choose(chance: &mut Chance) -> Self {
        match chance.below(100) {
            0..45 => Treatment::LeftAlone,
            45..55 => Treatment::Signal(Signal::KILL, chance.time_ms(5, 1500)),
            55..62 => {
                let signal = chance.of(&[&Signal::TERM, &Signal::INT, &Signal::HUP]);
                Treatment::Signal(*signal, chance.time_ms(5, 1500))
            }
            62..69 => Treatment::Stopped(chance.time_ms(5, 1500), chance.time_ms(200, 8000)),
            69..85 => {
                let point = Point::ALL[chance.below(Point::ALL.len())];
                let action = chance.of(&["kill", "kill", "stop", "eio", "enospc"]);
                Treatment::AtPoint(point, action, 1 + chance.below(3))
            }
            85..96 => {
                let jump = chance.of(&[&-90_000_i64, &-3600, &-400, &-5, &5, &400, &3600, &40_000_000]);
                Treatment::Clock(*jump, chance.below(12))
            }
            _ => Treatment::Deadline(chance.number() % 2000 + 200),
        }
    }

    pub(super) fn name(self) -> String {
        match self {
            Treatment::LeftAlone => "left alone".to_owned(),
            Treatment::Signal(signal, _) => format!("{signal:?}"),
            Treatment::Stopped(..) => "stopped".to_owned(),
            Treatment::AtPoint(_, action, _) => format!("{action} at a point"),
            Treatment::Clock(..) => "clock jumps".to_owned(),
            Treatment::Deadline(_) => "deadline".to_owned(),
        }
    }
}

/// How a process ended.
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    pub(super) was_killed: bool,
    /// The points that it passed, in order.
    pub(super) points: Vec<String>,
    /// When it passed the last one.
    last_point_at: Option<SystemTime>,
}

impl Ended {
    pub(super) fn has_passed(&self, point: Point) -> bool {
        self.points.iter().any(|passed| passed == point.name())
    }

    /// Since when its request was on its way, where it ended before it had read
    /// the beginning of an answer.
    pub(super) fn left_a_request(&self) -> Option<SystemTime> {
        let is_last = self
            .points
            .last()
            .is_some_and(|last| last == Point::IntentWritten.name());
        self.last_point_at.filter(|_| is_last)
    }
}

/// Runs it to its end. `None` where it had to be ended.
pub(super) fn run(command: &mut Command, treatment: Treatment, clock: &JumpingClock, log: PathBuf) -> Option<Ended> {
    command.env("OAUTH_FAULT_LOG", &log);
    match treatment {
        Treatment::AtPoint(point, action, time) => {
            command.env("OAUTH_FAULT", format!("{}={action}@{time}", point.name()));
        }
        Treatment::Clock(jump_s, after) => clock.jump(command, jump_s, after),
        Treatment::Deadline(time_ms) => {
            command.env("OAUTH_DEADLINE", format!("{time_ms}ms"));
        }
        _ => {}
    }
    let child = crate::place::start(command.stdin(Stdio::null()));
    let (output, in_time) = treat(child, treatment);
    let points = std::fs::read_to_string(&log).unwrap_or_default();
    let last_point_at = std::fs::metadata(&log).and_then(|log| log.modified()).ok();
    let _ = std::fs::remove_file(log);
    let outcome = Outcome {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("text"),
        stderr: String::from_utf8(output.stderr).expect("text"),
    };
    in_time.then(|| Ended {
        was_killed: was_killed(output.status),
        outcome,
        points: points.lines().map(str::to_owned).collect(),
        last_point_at,
    })
}

fn treat(mut child: Child, treatment: Treatment) -> (std::process::Output, bool) {
    let (began, pid) = (Instant::now(), Pid::from_child(&child));
    // a process that has ended is still there until it is waited for
    let send = |signal| kill_process(pid, signal).expect("a signal");
    let mut is_treated = false;
    let mut stopped: Option<(Instant, Duration)> = None;
    let in_time = loop {
        if child.try_wait().expect("the process").is_some() {
            break true;
        }
        let lived = began.elapsed();
        if lived > PATIENCE {
            send(Signal::KILL);
            break false;
        }
        match (treatment, stopped) {
            (_, Some((since, time))) if since.elapsed() >= time => {
                send(Signal::CONT);
                stopped = None;
            }
            (Treatment::Signal(signal, after), _) if !is_treated && lived >= after => {
                is_treated = true;
                send(signal);
            }
            (Treatment::Stopped(after, time), None) if !is_treated && lived >= after => {
                is_treated = true;
                send(Signal::STOP);
                stopped = Some((Instant::now(), time));
            }
            (Treatment::AtPoint(_, "stop", _), None) if !is_treated && is_stopped(pid) => {
                is_treated = true;
                stopped = Some((Instant::now(), Duration::from_secs(2)));
            }
            _ => {}
        }
        // not a wait for anything: how long things last is what is tried
        std::thread::sleep(LOOK);
    };
    (child.wait_with_output().expect("its end"), in_time)
}

fn is_stopped(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
}
