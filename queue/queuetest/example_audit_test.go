package queuetest_test

import (
	"fmt"
	"time"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue/queuetest"
)

func ExampleAudit() {
	p := policy.Policy{Rules: []policy.Rule{
		{Name: "pace", Limit: policy.Gap{Min: 5 * time.Second, Max: 9 * time.Second}},
		{Name: "minute", Limit: policy.SlidingWindow{Max: 2, Window: time.Minute}},
	}}

	noon := time.Date(2026, time.January, 5, 12, 0, 0, 0, time.UTC)
	var log []queuetest.Call
	for _, s := range []time.Duration{0, 8, 12, 60} {
		at := noon.Add(s * time.Second)
		log = append(log, queuetest.Call{
			Account: "447700900001",
			Action:  policy.SendMessage,
			At:      at,
			Done:    at.Add(500 * time.Millisecond),
		})
	}

	for _, v := range queuetest.Audit(p, log) {
		fmt.Println(v)
	}
	// Output:
	// rule "pace", account "4477******01", 2026-01-05T12:00:12Z: taken 3.5s after the call of 2026-01-05T12:00:08Z ended, where the pause is at least 5s (1.5s too early)
	// rule "minute", account "4477******01", 2026-01-05T12:00:12Z: 3 in the 1m0s from 2026-01-05T12:00:00Z, where at most 2 may be (1 too many)
	// rule "minute", account "4477******01", 2026-01-05T12:01:00Z: 3 in the 1m0s from 2026-01-05T12:00:08Z, where at most 2 may be (1 too many)
}
