//! A row of each kind that there is.

use crate::testing::fuzz::records::Format;

pub(super) const SEEDS: &[(Format, &str)] = &[
    (
        Format::Execution,
        r#"{"state":"Pending","data":{"n":1,"t":"x"},"visit":3,"started_at":1,"entered_at":2,"activity":"waiting",
            "timers":[{"handler":"late","due":9,"fired":true},{"handler":"again","due":10,"kind":"every"},{"handler":"then","due":11,"kind":"at"}],
            "inbox_seen":7,"attributes":{"city":"\"Ulm\"","n":1},"undo_count":2}"#,
    ),
    (
        Format::Execution,
        r#"{"state":"Working","data":null,"visit":1,"started_at":1,"entered_at":2,"activity":"entry","entry_interrupted":true,"edges_kept":4,
            "resume_at":9223372036854775807,"waits_for":["answer"],"parent":{"workflow":"P","id":"p","child":"c","visit":1,"edge":2,"call":"x:y:0","reports":true,"reports_parking":true},
            "failing":{"key":"work:call::0","attempts":3,"error":{"kind":"timed_out","message":"slow","sources":["a","b"]},"since":1,"due":5}}"#,
    ),
    (
        Format::Execution,
        r#"{"state":"Working","data":[1,2],"visit":1,"started_at":1,"entered_at":2,"starts_at":99,
            "activity":{"handler":{"handler":"paid","cause":{"event":{"handler":"paid","event":"Payment","event_id":"e"}},"payload":{"r":"1"}}},
            "outgoing":[{"workflow":"W","id":"w","event":{"event_id":"1","name":"~child","payload":{},"sent_at":1}}],
            "set_aside":{"activity":{"handler":{"handler":"slow","cause":{"timer":{"handler":"slow"}}}},"by":4}}"#,
    ),
    (
        Format::Execution,
        r#"{"state":"Working","data":1,"visit":2,"started_at":1,"entered_at":2,
            "activity":{"unwinding":{"into":{"state":{"state":"Dropped","data":{}}},"cause":{"caught":{"handler":"gave_up","error":{"kind":"failed","message":"no"}}},"attempts":2,"before":"entry"}},
            "parked":{"at":5,"error":{"kind":"panicked","message":"ouch"}},
            "undo":[{"step":"book","key":"work:book::0","visit":1,"output":{"known":1}},{"step":"book","key":"work:book::1","visit":1,"order":2,"output":{"unknown":{"args":[1],"inside":[]}}}]}"#,
    ),
    (
        Format::Execution,
        r#"{"state":"Working","data":"x","visit":2,"started_at":1,"entered_at":2,"activity":"ended","closed":{"cancelled":{"reason":{"reason":"why","by":"bob"}}}}"#,
    ),
    (
        Format::Execution,
        r#"{"state":"Working","data":0.5,"visit":2,"started_at":1,"entered_at":2,
            "activity":{"unwinding":{"into":{"closed":{"terminated":{"reason":{"reason":"why"}}}},"cause":{"cancelled":{"reason":{}}}}},"closed":{"terminated":{"reason":{}}}}"#,
    ),
    (Format::Journal, r#"{"key":"work:call:5f:0","attempts":2,"result":{"done":{"a":[1,null,true]}}}"#),
    (
        Format::Journal,
        r#"{"key":"work:book:5f:0","attempts":2,"result":"started","undo":{"step":"book","edge_number":1,"args":[1,"x"],"order":4}}"#,
    ),
    (
        Format::Journal,
        r#"{"key":"work:call::0","attempts":9,"result":{"failed":{"error":{"kind":"heartbeat_missed","message":"m"},"value":{"code":4}}}}"#,
    ),
    (
        Format::Journal,
        r#"{"key":"w:c::0","attempts":4294967295,"result":{"retrying":{"error":{"kind":"failed","message":"m"},"due":12}}}"#,
    ),
    (
        Format::Journal,
        r#"{"key":"w:r::0","attempts":0,"result":{"received":{"seq":3,"event":"Answer","payload":"x"}}}"#,
    ),
    (
        Format::Journal,
        r#"{"key":"w:c::0","attempts":0,"result":{"child":{"workflow":"C","id":"c","cancel_when_left":true}}}"#,
    ),
    (Format::Journal, r#"{"key":"w:s::0","attempts":0,"result":{"sleeping":{"due":-5}}}"#),
    (
        Format::Journal,
        r#"{"key":"w:p::0","attempts":0,"result":{"parallel":{"name":"checks","branches":["a","b"],"of":2,"due":8,"end":{"failed":{"by":["a"]}}}}}"#,
    ),
    (Format::Journal, r#"{"key":"w:p::0","attempts":0,"result":{"parallel":{"name":"all","end":"timed_out"}}}"#),
    (
        Format::Journal,
        r#"{"key":"w:p::0:a","attempts":1,"result":{"branch":{"label":"x","error":{"kind":"failed","message":"m"},"value":7}}}"#,
    ),
    (Format::Event, r#"{"event_id":"e-1","name":"Payment","payload":{"reference":"r"},"sent_at":7}"#),
    (
        Format::Event,
        r#"{"event_id":"e-2","name":"~move","payload":{"reason":{"reason":"x"},"state":"S","data":{}},"sent_at":7}"#,
    ),
    (Format::History, r#"{"at":1,"visit":1,"kind":{"started":{"to":"Pending"}}}"#),
    (Format::History, r#"{"at":1,"visit":1,"kind":{"planned":{"to":"Pending","starts_at":5}}}"#),
    (
        Format::History,
        r#"{"at":1,"visit":1,"kind":{"transition":{"from":"A","to":"B","cause":"entry","duration_millis":5,"attempts":2,"error":{"kind":"failed","message":"m"},"unclaimed":["k"]}}}"#,
    ),
    (
        Format::History,
        r#"{"at":1,"visit":1,"kind":{"stayed":{"state":"A","cause":{"moved":{"reason":{"reason":"r"}}}}}}"#,
    ),
    (
        Format::History,
        r#"{"at":1,"visit":1,"kind":{"parked":{"state":"A","cause":"entry","error":{"kind":"unreadable","message":"m"}}}}"#,
    ),
    (Format::History, r#"{"at":1,"visit":1,"kind":{"retried":{"state":"A"}}}"#),
    (Format::History, r#"{"at":1,"visit":1,"kind":{"report_dropped":{"child":"C/c"}}}"#),
    (
        Format::History,
        r#"{"at":1,"visit":1,"kind":{"control":{"action":"terminate","event_id":"e","state":"A","reason":{"reason":"r","by":"b"},"refused":"no"}}}"#,
    ),
    (
        Format::History,
        r#"{"at":1,"visit":1,"kind":{"unwind_began":{"from":"A","into":"B","cause":"entry","unclaimed":["k"]}}}"#,
    ),
    (Format::History, r#"{"at":1,"visit":1,"kind":{"undone":{"step":"s","key":"k","effect":false}}}"#),
    (
        Format::History,
        r#"{"at":1,"visit":1,"kind":{"undo_failed":{"step":"s","key":"k","error":{"kind":"by_hand","message":"m"}}}}"#,
    ),
    (Format::History, r#"{"at":1,"visit":1,"kind":{"closed":{"state":"A","closed":{"cancelled":{"reason":{}}}}}}"#),
    (Format::History, r#"{"at":1,"visit":1,"kind":{"refused":{"state":"A","cause":{"timer":{"handler":"h"}}}}}"#),
    (Format::History, r#"{"at":1,"visit":1,"kind":{"event_refused":{"state":"A","event":"E","event_id":"e"}}}"#),
    (Format::History, r#"{"at":1,"visit":1,"kind":{"event_left":{"event":"E","event_id":"e"}}}"#),
    (Format::Answer, r#"{"event_id":"e","answer":{"replied":{"total":5}}}"#),
    (Format::Answer, r#"{"event_id":"e","answer":{"refused":"no"}}"#),
    (Format::Answer, r#"{"event_id":"e","answer":{"rejected":{"state":"A"}}}"#),
    (Format::Answer, r#"{"event_id":"e","answer":{"dropped":{"state":"A"}}}"#),
    (
        Format::Answer,
        r#"{"event_id":"e","answer":{"failed":{"error":{"kind":"failed","message":"m","sources":["s"]}}}}"#,
    ),
    (
        Format::Undo,
        r#"{"step":"book","key":"w:book::0","visit":2,"edge_number":1,"order":3,"older":4,"output":{"known":{"id":7}}}"#,
    ),
    (
        Format::Undo,
        r#"{"step":"book","key":"w:book::0","visit":2,"output":{"unknown":{"args":[],"inside":[{"key":"w:book::0:call::0","attempts":1,"result":{"done":1}}]}}}"#,
    ),
    (Format::Parked, r#"{"at":7,"error":{"kind":"failed","message":"m","sources":["s","t"]}}"#),
    (Format::Report, r#"{"visit":1,"edge":2,"call":"w:child::0","end":{"ended":{"state":"Done","data":{}}}}"#),
    (Format::Report, r#"{"visit":1,"call":"w:child::0","end":{"cancelled":{"reason":{"reason":"r"}}}}"#),
    (Format::Report, r#"{"visit":1,"call":"w:child::0","end":{"terminated":{"reason":{}}}}"#),
    (Format::Report, r#"{"visit":1,"call":"w:child::0","end":{"parked":{"error":{"kind":"failed","message":"m"}}}}"#),
];
