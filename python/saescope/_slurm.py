"""Cuts a run of `run_sae_analysis` into jobs of Slurm, and submits them: forward, encode and finish.

Login nodes are old, and what a run needs is on the others: this file runs by itself with the standard library of Python 3.6. In the
repository `tools/slurm/submit` calls it, elsewhere `python -m saescope submit`; `saescope.submit` does the same from Python.
"""

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from typing import Any, Dict, List, Optional, Sequence

_REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # where this is no installed wheel

STAGES = ("forward", "encode", "finish")
_USUAL_ENCODE_TASKS = 16  # docs/scale.md: from there on the file system is the limit, not the processors

_USAGE = """%(prog)s --tasks N [option ...] -- flag of run_sae_analysis ...
       %(prog)s --resume FOLDER [option ...]"""

_EPILOG = """Every other option in front of `--` is one of sbatch (such as --partition=cpu --cpus-per-task=16 --mem=32G --time=4:00:00) and goes
to all three jobs. Outputs and prompts are given by the flags of run_sae_analysis, as for an ordinary run."""

# What sbatch is told here, and what would keep it from submitting.
_OWN_OPTIONS = ("array", "dependency", "chdir", "output", "error", "wrap", "wait", "test-only", "parsable")
_OWN_LETTERS = ("-a", "-d", "-D", "-o", "-e", "-W")

_REFUSED_FLAGS = {
    "--stage": "the three jobs are the stages",
    "--task": "--tasks N in front of `--` says how many tasks there are",
    "--store": "give it in front of `--`",
    "--local-copy": "give it in front of `--`",
    "--dry-run": "the flags are checked before anything is submitted; --print shows the jobs",
    "--show-tokens": "it needs no job: run it here",
}

_OUTPUTS = ("universal-output", "specific-output", "contrast-output", "token-activations", "report", "activations-output")

_OTHER_ENGINES = (("qsub", "PBS or SGE"), ("bsub", "LSF"), ("kubectl", "Kubernetes"))


class SubmissionError(Exception):
    """A job cannot be submitted. `user` says whether that lies in what was given; the rest are an error's usual parts."""

    def __init__(
        self, what: str, where: str = "", expected: str = "", found: str = "", hint: str = "", user: bool = True
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.expected = expected
        self.found = found
        self.hint = hint
        self.user = user

    def __str__(self) -> str:
        text = self.where + ": " + self.what if self.where else self.what
        for name in ("expected", "found", "hint"):
            value = getattr(self, name)
            if value:
                text += "\n  {:<9} {}".format(name + ":", value)
        return text


class Job:
    """A run in three jobs, as `job.json` in its folder keeps it. All paths are absolute; flags are as they were given."""

    def __init__(self, folder: str, executable: str, flags: Sequence[str], tasks: int) -> None:
        self.folder = os.path.abspath(os.path.expanduser(folder))
        self.executable = os.path.abspath(executable)
        self.flags = list(flags)
        self.start = os.getcwd()  # where relative paths among the flags start
        self.tasks = tasks
        self.encode_tasks: Optional[int] = None
        self.at_once: Optional[int] = None
        self.store = os.path.abspath("saescope-store")
        self.local_copy: Optional[str] = None
        self.options: List[str] = []
        self.ids: Dict[str, str] = {}

    @classmethod
    def load(cls, folder: str) -> "Job":
        """The job that was submitted with this folder."""
        path = os.path.join(folder, "job.json")
        try:
            with open(path, encoding="utf-8") as file:
                kept = json.load(file)
            job = cls(folder, kept["executable"], kept["flags"], kept["tasks"])
            vars(job).update({key: kept[key] for key in ("start", "encode_tasks", "at_once", "store", "local_copy", "options", "ids")})
        except (OSError, ValueError, KeyError, TypeError) as error:
            found = "{}: {}".format(path, error)
            raise SubmissionError("the folder holds no job", folder, "one that a submission made", found) from None
        return job

    def tasks_of(self, stage: str) -> int:
        """How many tasks a stage has. Each of the stage encode reads most of the store: many of them wait for the file system."""
        if stage == "finish":
            return 1
        return self.tasks if stage == "forward" else self.encode_tasks or min(self.tasks, _USUAL_ENCODE_TASKS)

    def save(self) -> None:
        """Writes job.json, with the outputs for whoever reads it."""
        path = os.path.join(self.folder, "job.json")
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(dict(vars(self), outputs=self.outputs()), file, indent=1)
            file.write("\n")
        os.replace(path + ".new", path)

    def outputs(self) -> Dict[str, str]:
        """The paths of the outputs, by flag."""
        found: Dict[str, str] = {}
        for name in _OUTPUTS:
            value = _value_of(self.flags, "--" + name)
            if value is not None:
                found[name] = os.path.join(self.start, os.path.expanduser(value))
        if "--record-prompts" in self.flags and "specific-output" in found:
            found["record-prompts"] = os.path.splitext(found["specific-output"])[0] + "_activeprompts.jsonl"
        return found

    def script(self, stage: str) -> str:
        """Path of a stage's script."""
        return os.path.join(self.folder, stage + ".sh")

    def log(self, stage: str, task: str) -> str:
        """Path of what a task says; of the stage finish there is one."""
        return os.path.join(self.folder, "logs", stage + ("" if stage == "finish" else "-" + task) + ".log")

    def summary(self) -> str:
        """Path of what the run says at its end."""
        return os.path.join(self.folder, "summary.txt")


def _value_of(flags: Sequence[str], name: str) -> Optional[str]:
    """The value of the last `name VALUE` or `name=VALUE` among flags."""
    value: Optional[str] = None
    for index, flag in enumerate(flags):
        if flag.startswith(name + "="):
            value = flag[len(name) + 1 :]
        elif flag == name and index + 1 < len(flags):
            value = flags[index + 1]
    return value


def script_text(job: Job, stage: str) -> str:
    """The script of a stage's job."""
    options = ["--job-name=saescope-" + stage, "--chdir=" + job.start]
    # In a file's name Slurm replaces what follows a %.
    options.append("--output=" + job.log(stage, "\0").replace("%", "%%").replace("\0", "%a"))
    options += ["--open-mode=append", "--kill-on-invalid-dep=yes", "--requeue"]
    # A minute before its time is up. B: sends it to the script's own process, which has become the program by then.
    options.append("--signal=B:TERM@60")
    if stage != "finish":
        options.append("--array=1-{}{}".format(job.tasks_of(stage), "%{}".format(job.at_once) if job.at_once else ""))
    lines = ["#SBATCH " + " ".join(map(_slurm_quoted, group)) for group in _grouped(options + job.options)]
    return "\n".join(["#!/bin/bash"] + lines + [" \\\n  ".join(_command(job, stage))]) + "\n"


def _command(job: Job, stage: str) -> List[str]:
    """The program's command line in words of bash, some of them together."""
    words = ["exec " + shlex.quote(job.executable)]
    words += [" ".join(map(shlex.quote, group)) for group in _grouped(job.flags)]
    words.append("--store " + shlex.quote(job.store))
    if stage == "finish":
        words.append("--stage finish")
    else:
        words.append('--stage {} --task "$SLURM_ARRAY_TASK_ID/{}"'.format(stage, job.tasks_of(stage)))
    if stage == "forward" and job.local_copy is not None:
        words.append("--local-copy " + _quoted_with_variables(job.local_copy))
    if not any(flag.split("=", 1)[0] == "--threads" for flag in job.flags):
        # Where Slurm does not keep a task to its processors, the program would take the node's.
        words.append('--threads "${SLURM_CPUS_PER_TASK:-$SLURM_CPUS_ON_NODE}"')
    if stage == "finish":
        words.append("> " + shlex.quote(job.summary()))
    return words


def _grouped(words: Sequence[str]) -> List[List[str]]:
    """Each option together with the values behind it."""
    groups: List[List[str]] = []
    for word in words:
        if word.startswith("-") or not groups:
            groups.append([])
        groups[-1].append(word)
    return groups


def _slurm_quoted(word: str) -> str:
    """A word of a line #SBATCH, which is not read by a shell."""
    if re.match(r"[\w@%+=:,./-]+$", word, re.ASCII):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _quoted_with_variables(text: str) -> str:
    """A word of bash in which $NAME and ${NAME} alone mean something: such as $TMPDIR, which differs from node to node."""
    parts = re.split(r"(\$\w+|\$\{\w+\})", text)
    return "".join('"' + part + '"' if index % 2 else shlex.quote(part) if part else "" for index, part in enumerate(parts))


def submit(job: Job) -> None:
    """Writes the scripts and submits the three jobs, all of them or none. `job.ids` are theirs then."""
    require_slurm()
    os.makedirs(os.path.join(job.folder, "logs"), exist_ok=True)
    former, job.ids = job.ids, {}
    for stage in STAGES:
        with open(job.script(stage), "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(script_text(job, stage))
    before: Optional[str] = None
    try:
        for stage in STAGES:
            before = job.ids[stage] = _sbatch(job, stage, before)
        job.save()
    except BaseException:
        cancel(job)
        job.ids = former
        raise


def _sbatch(job: Job, stage: str, before: Optional[str]) -> str:
    command = ["sbatch", "--parsable"] + (["--dependency=afterok:" + before] if before else []) + [job.script(stage)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    if done.returncode != 0:
        hint = "; what was submitted before it is cancelled" if before else ""
        if "array" in done.stderr:
            hint += "; how many tasks an array may have: scontrol show config | grep MaxArraySize"
        raise SubmissionError("sbatch refuses the job of the stage " + stage, found=done.stderr.strip(), hint=hint[2:], user=False)
    sys.stderr.write(done.stderr)
    return done.stdout.strip().split(";")[0]  # ID, or ID;CLUSTER


def cancel(job: Job) -> None:
    """Cancels what is left of the jobs."""
    if job.ids and shutil.which("scancel") is not None:
        # It complains about jobs that have ended.
        subprocess.run(["scancel"] + list(job.ids.values()), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def resume(job: Job) -> None:
    """Submits the jobs again. What is left of the former ones is cancelled: nothing of it is lost."""
    cancel(job)
    submit(job)


def require_slurm() -> None:
    """Refuses to go on where there is no Slurm."""
    if shutil.which("sbatch") is not None:
        return
    engines = ", ".join(name for command, name in _OTHER_ENGINES if shutil.which(command)) or "no other engine either"
    hint = "docs/cluster.md has scripts for PBS, LSF, SGE and Kubernetes; --print shows those for Slurm"
    raise SubmissionError("there is no sbatch on this machine", "", "a login node of a cluster with Slurm", engines, hint, False)


def check_flags(flags: Sequence[str]) -> None:
    """Refuses flags that a job cannot have."""
    for flag in flags:
        name = flag.split("=", 1)[0]
        if name in _REFUSED_FLAGS:
            raise SubmissionError("a job's run cannot have this flag", name, hint=_REFUSED_FLAGS[name])


def check_options(job: Job) -> None:
    """Refuses options of sbatch that are decided here, and what no script of Slurm can say."""
    for option in job.options:
        name = option.split("=", 1)[0]
        if name[2:] in _OWN_OPTIONS and name.startswith("--") or option[:2] in _OWN_LETTERS:
            raise SubmissionError("the submission itself gives sbatch this option", option, hint="leave it out")
    for text in [job.folder, job.start] + job.options:
        if "\n" in text or (text.startswith("/") and "\\" in text):
            raise SubmissionError("a script of Slurm cannot say this", json.dumps(text), "no line break, in paths no backslash")
    for name, number in (("--tasks", job.tasks), ("--encode-tasks", job.encode_tasks), ("--at-once", job.at_once)):
        if number is not None and number < 1:
            raise SubmissionError("no task would run", name, "at least 1", str(number))


def _plan(job: Job) -> bytes:
    """What the program would do, as it says: it looks at its flags before anything waits in a queue."""
    if not os.access(job.executable, os.X_OK):
        raise SubmissionError("there is no run_sae_analysis", job.executable, hint="`make` builds it; --executable names another")
    command = [job.executable] + job.flags + ["--store", job.store, "--stage", "finish", "--dry-run"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        what = "run_sae_analysis refuses its flags, as it says above; nothing was submitted"
        raise SubmissionError(what, hint="--no-check submits all the same", user=done.returncode == 2)
    return done.stdout


def _default_executable() -> str:
    built = os.path.join(_REPOSITORY, "build", "release", "run_sae_analysis")
    on_path = None if os.path.exists(built) else shutil.which("run_sae_analysis")
    return os.environ.get("SAESCOPE_EXECUTABLE") or on_path or built


def _own_command() -> str:
    script = os.path.join(_REPOSITORY, "tools", "slurm", "submit")
    return shlex.quote(script) if os.path.exists(script) else "python3 -m saescope submit"


def _parser() -> argparse.ArgumentParser:
    description = "Submits a run to Slurm as job arrays."
    parser = argparse.ArgumentParser(_own_command(), _USAGE, description, _EPILOG, allow_abbrev=False)
    parser.add_argument("--tasks", type=int, metavar="N", help="tasks that the forward pass is cut into")
    parser.add_argument("--encode-tasks", type=int, metavar="N", help="tasks of the encoding (default: the same, but at most 16)")
    parser.add_argument("--at-once", type=int, metavar="M", help="tasks that run at the same time, at most")
    parser.add_argument("--store", metavar="DIR", help="shared folder of activations (default: ./saescope-store)")
    parser.add_argument("--folder", metavar="DIR", help="folder of the job's scripts and logs (default: ./saescope-job-TIME)")
    parser.add_argument("--local-copy", metavar="DIR", help="copy model files to this folder of each node, such as '$TMPDIR'")
    parser.add_argument("--executable", metavar="PATH", help="run_sae_analysis, where it is not the one built here")
    parser.add_argument("--print", action="store_true", dest="show", help="show the scripts and submit nothing")
    parser.add_argument("--no-check", action="store_true", help="submit without a look at the flags by --dry-run")
    parser.add_argument("--resume", metavar="FOLDER", help="submit a job again; options given here replace its own")
    return parser


def _new_job(given: Any, flags: Sequence[str], executable: Optional[str]) -> Job:
    if not flags:
        raise SubmissionError("nothing says what to run", expected="-- and the flags of run_sae_analysis")
    if given.tasks is None:
        raise SubmissionError("nothing says how many tasks there are", "--tasks", "--tasks N")
    if not given.show:
        require_slurm()
    folder = given.folder or time.strftime("saescope-job-%Y%m%d-%H%M%S")
    if os.path.exists(os.path.join(folder, "job.json")):
        raise SubmissionError("the folder holds a job", "--folder", hint="choose another, or use --resume " + folder)
    return Job(folder, given.executable or executable or _default_executable(), flags, given.tasks)


def _old_job(given: Any, flags: Sequence[str]) -> Job:
    if flags:
        raise SubmissionError("a job that is resumed keeps its flags", "--resume", hint="a new job finds its work in --store")
    return Job.load(given.resume)


def _apply(given: Any, options: Sequence[str], job: Job) -> None:
    """What the command line says of a new job or, anew, of an old one."""
    for name in ("tasks", "encode_tasks", "at_once", "store", "local_copy"):
        value = getattr(given, name)
        if value is not None:
            setattr(job, name, os.path.abspath(os.path.expanduser(value)) if name == "store" else value)
    job.options += options  # of an option that occurs twice Slurm takes the last
    check_flags(job.flags)
    check_options(job)


def _print_scripts(job: Job) -> None:
    for stage in STAGES:
        _say("# " + job.script(stage) + "\n" + script_text(job, stage))


def _report(job: Job) -> None:
    ids = [job.ids[stage] for stage in STAGES]
    tasks = [job.tasks_of(stage) for stage in STAGES]
    _say("submitted {} (forward, {} tasks), {} (encode, {} tasks) and {} (finish)".format(ids[0], tasks[0], ids[1], tasks[1], ids[2]))
    _say("  watch    squeue --jobs=" + ",".join(ids))
    _say("           tail -F " + shlex.quote(os.path.join(job.folder, "logs")) + "/*.log")
    _say("  cancel   scancel " + " ".join(ids))
    _say("  resume   {} --resume {}".format(_own_command(), shlex.quote(job.folder)))
    _say("           after a failure or a cancellation: what is finished is not done again")
    for path in job.outputs().values():
        _say("  output   " + path)


def _say(text: str) -> None:
    """Prints paths of any bytes, whatever the locale."""
    sys.stdout.buffer.write((text + "\n").encode("utf-8", "surrogateescape"))
    sys.stdout.flush()


def main(arguments: Optional[Sequence[str]] = None, executable: Optional[str] = None) -> int:
    """The command `submit`. `executable` is the one to take where none is given."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    end = words.index("--") if "--" in words else len(words)
    given, options = _parser().parse_known_args(words[:end])
    try:
        job = _old_job(given, words[end + 1 :]) if given.resume else _new_job(given, words[end + 1 :], executable)
        _apply(given, options, job)
        if given.show:
            _print_scripts(job)
            return 0
        if given.resume:
            resume(job)
        else:
            plan = b"" if given.no_check else _plan(job)
            submit(job)
            with open(os.path.join(job.folder, "plan.txt"), "wb") as file:
                file.write(plan)
        _report(job)
    except SubmissionError as error:
        sys.stderr.write("error: {}\n".format(error))
        return 2 if error.user else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
