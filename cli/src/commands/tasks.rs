//! `kith tasks`.

use kith_node::{
    api::{Answer, AnswerLine, AnswerRequest, Known, Reply, Request, TaskLine, TasksRequest},
    failure::{Ending, Failure},
};

use crate::{
    args::{AnswerArgs, AnswerCommand, TasksArgs},
    ask::{Session, odd_answer},
    render,
};

pub fn run(session: &Session, args: TasksArgs) -> Result<Ending, Failure> {
    match args.answer {
        Some(AnswerCommand::Accept(args)) => answer(session, Answer::Accept, args),
        Some(AnswerCommand::Done(args)) => answer(session, Answer::Done, args),
        Some(AnswerCommand::Decline(args)) => answer(session, Answer::Decline, args),
        None => list(
            session,
            TasksRequest {
                record: args.record,
                mine: args.mine,
                all: args.all,
            },
        ),
    }
}

fn answer(session: &Session, answer: Answer, args: AnswerArgs) -> Result<Ending, Failure> {
    let request = AnswerRequest {
        record: args.record,
        task: args.task,
        answer,
        because: args.because,
        staff: args.staff,
    };
    let Reply::Answered(answered) = session.ask(Request::Answer(request))? else {
        return Err(odd_answer());
    };
    if session.json {
        return render::json(&answered);
    }
    say(&answered.task);
    if let Some(note) = &answered.note {
        render::say(&render::clean(note));
    }
    Ok(Ending::Done)
}

fn list(session: &Session, request: TasksRequest) -> Result<Ending, Failure> {
    let (mine, all) = (request.mine, request.all);
    let Reply::Tasks(list) = session.ask(Request::Tasks(request))? else {
        return Err(odd_answer());
    };
    let ending = if list.unread.is_empty() {
        Ending::Done
    } else {
        Ending::Partly
    };
    if session.json {
        return render::json(&list).map(|_| ending);
    }
    if list.tasks.is_empty() {
        render::say(match list.known {
            Some(Known::NotKnownHere) => {
                "The tasks of this record are not known to this node, which does not mean that there are none."
            }
            Some(Known::Withheld) => "The tasks of this record are not shared with this node.",
            Some(Known::NothingRecorded) | None if all && !mine => "No task is recorded here.",
            Some(Known::Recorded | Known::NothingRecorded) | None if mine => {
                "Nobody waits for you to do something, as far as is known here."
            }
            Some(Known::Recorded | Known::NothingRecorded) | None => {
                "No task is open, as far as is known here."
            }
        });
    }
    list.tasks.iter().for_each(say);
    for unread in &list.unread {
        render::say(&format!("NOT KNOWN: {}", render::clean(unread)));
    }
    Ok(ending)
}

/// A task, loud where it is late.
pub fn say(task: &TaskLine) {
    let who = task.who.as_deref().unwrap_or("whoever can");
    render::say(&format!(
        "{}  {}  — {}",
        task.id.get(..8).unwrap_or(&task.id),
        render::clean(&task.what),
        render::clean(who)
    ));
    let says = render::clean(&task.says);
    if task.late {
        render::say(&format!("          {}", render::loud(&says)));
    } else {
        let due = task.due.as_ref();
        let due = due.filter(|_| task.state.is_open());
        let due = due.map_or_else(String::new, |due| format!(", to be done by {due}"));
        render::say(&format!("          {says}{due}"));
    }
    if let Some(because) = &task.because {
        render::say(&format!("          because {}", render::clean(because)));
    }
    for said in &task.answers {
        if !said.counts || said.because.is_some() {
            render::say(&format!("          {}", answered(said)));
        }
    }
    render::say(&format!(
        "          {}, record {}",
        render::clean(&task.person),
        task.record.get(..12).unwrap_or(&task.record)
    ));
    if task.to_review {
        render::say("          to review: kith review");
    }
}

fn answered(said: &AnswerLine) -> String {
    let word = match said.answer {
        Answer::Accept => "accepts it",
        Answer::Done => "says that it is done",
        Answer::Decline => "declines it",
    };
    let because = said.because.as_deref();
    let because = because.map_or_else(String::new, |why| format!(": {}", render::clean(why)));
    let beside = if said.counts {
        ""
    } else {
        " (who was not asked)"
    };
    format!("{} {word}{because}{beside}", render::clean(&said.by))
}
