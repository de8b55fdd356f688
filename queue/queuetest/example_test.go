package queuetest_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/wapace/wapace/policy"
	"github.com/wapace/wapace/queue"
	"github.com/wapace/wapace/queue/queuetest"
)

// A shown test prints what it is told. In a test of your own, use its t.
type shown struct{ testing.TB }

func (shown) Helper()                           {}
func (shown) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }
func (shown) Fatalf(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// Three messages under a minute's pause, on a clock that nobody waits for. The
// sender takes two seconds for the first one and refuses the second.
func Example() {
	t := shown{}

	h := queuetest.NewOptions(t, policy.Strict(), &queue.Options{Typing: &queue.Typing{}})
	h.Sender.Script(queuetest.Answer{Took: 2 * time.Second}, queuetest.Answer{Err: errors.New("no such recipient")})
	for _, to := range []string{"447700900001", "447700900002", "447700900003"} {
		h.Enqueue("447700900000", to, "hello")
	}
	h.Drain(5 * time.Minute)
	h.Audit()

	for _, call := range h.Sender.Log() {
		fmt.Println(call.Recipient, call.At.Sub(queuetest.Epoch()), call.Done.Sub(queuetest.Epoch()))
	}
	// Output:
	// 447700900001 0s 2s
	// 447700900002 1m2s 1m2s
	// 447700900003 2m2s 2m2s
}
