//! docs/command-line.md says what commands print; here they print it.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use e2e::process::{self, Daemon};
use e2e::server::{self, Server, Subject};
use e2e::{wait, workspace};

use super::page::{Step, comparable, steps};

const PAGE: &str = "docs/command-line.md";
/// Where the page's server serves,
const ADDRESS: &str = "127.0.0.1:9092";
/// and where it keeps its data.
const DATA: &str = "/home/ada/milena-data";

/// A shell in a folder of its own, in which `milena` finds the server as it does on the page.
struct Shell<'a> {
    server: &'a Server,
    folder: PathBuf,
    background: Vec<Daemon>,
}

#[test]
fn every_command_prints_what_its_page_says() -> Result<()> {
    if server::subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let server = Server::with("cli-documented", &[("offsets.topic.num.partitions", "50")])?;
    let page = std::fs::read_to_string(workspace::root().join(PAGE))?;
    let steps = steps(&page);
    ensure!(steps.len() > 40, "{PAGE} has {} commands", steps.len());
    let mut shell = Shell::new(&server)?;
    for step in &steps {
        shell.check(step).with_context(|| format!("{PAGE}: $ {}", step.command))?;
    }
    drop(shell);
    server.done()
}

impl Shell<'_> {
    fn new(server: &Server) -> Result<Shell<'_>> {
        let folder = server.scratch().join("shell");
        std::fs::create_dir_all(folder.join("bin"))?;
        std::os::unix::fs::symlink(server.data(), folder.join("milena-data"))?;
        let milena = workspace::binary("milena")?;
        let (milena, bootstrap) = (milena.display(), server.bootstrap());
        let script = format!(
            "#!/bin/sh\ncase \"$1\" in\ncompletion|dump-log) exec '{milena}' \"$@\" ;;\n\
             *) exec '{milena}' \"$@\" --bootstrap-server {bootstrap} ;;\nesac\n"
        );
        let path = folder.join("bin/milena");
        std::fs::write(&path, script)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
        Ok(Shell { server, folder, background: Vec::new() })
    }

    fn check(&mut self, step: &Step) -> Result<()> {
        if let Some(command) = step.command.strip_suffix('&') {
            let log = self.folder.join("background.log");
            let mut command = self.bash(&format!("exec {command}"))?;
            self.background.push(Daemon::start("a command of the page", &mut command, &log)?);
            return Ok(());
        }
        let expected: Vec<_> = step.printed.iter().map(|line| comparable(line)).collect();
        let mut printed = self.run(step.command)?;
        // What runs in the background may need a moment until it shows.
        let asks_only =
            [" describe ", " list ", "cluster", "log-dirs"].iter().any(|word| step.command.contains(word));
        let again = asks_only && printed != expected;
        if again {
            let alike = || {
                printed = self.run(step.command)?;
                Ok((printed == expected).then_some(()))
            };
            // Whether it ever was is said below.
            let _ = wait::until("the page's output", wait::PATIENCE, alike);
        }
        ensure!(
            printed == expected,
            "the page says\n{}\nand now it is\n{}",
            expected.join("\n"),
            printed.join("\n")
        );
        Ok(())
    }

    /// What a command prints, on stdout and stderr.
    fn run(&self, command: &str) -> Result<Vec<String>> {
        let output = process::run(&mut self.bash(&format!("{{ {command}\n}} 2>&1"))?, b"", wait::PATIENCE)?;
        let here = output.stdout.replace(&self.server.bootstrap(), ADDRESS);
        let here = here.replace(&*self.server.data().to_string_lossy(), DATA);
        Ok(here.lines().map(comparable).collect())
    }

    fn bash(&self, line: &str) -> Result<Command> {
        let path = std::env::var("PATH")?;
        let bin: &Path = &self.folder.join("bin");
        let mut bash = Command::new("bash");
        bash.args(["-c", line]).current_dir(&self.folder).env("PATH", format!("{}:{path}", bin.display()));
        Ok(bash)
    }
}
