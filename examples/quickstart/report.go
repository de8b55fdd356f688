package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/wapace/wapace/queue"
)

// A view shows a campaign as it goes.
type view interface {
	// event shows a change of a message's status.
	event(e queue.Event)

	// typing shows that typing is shown for d.
	typing(m queue.Message, d time.Duration)

	// line shows a line of text.
	line(format string, args ...any)

	// refresh keeps the view up to date until ctx is done.
	refresh(ctx context.Context)
}

// An output is standard output. Its Flush returns the first error of all writes.
type output struct {
	*bufio.Writer
	hold bool // nobody watches: write when the buffer is full
}

func newOutput(w io.Writer, hold bool) *output { return &output{bufio.NewWriter(w), hold} }

// put writes a text. Its error comes back from every later Flush.
func (o *output) put(text string) {
	_, _ = o.WriteString(text)
	if !o.hold {
		_ = o.Flush()
	}
}

// jsonLines is the view of -json: every message that is done with, as one line.
type jsonLines struct {
	out *output
	mu  sync.Mutex
}

func (v *jsonLines) event(e queue.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if e.Record.Status.Final() {
		v.out.put(jsonLine(&e.Record))
	}
}

func (*jsonLines) typing(queue.Message, time.Duration) {}
func (*jsonLines) line(string, ...any)                 {}
func (*jsonLines) refresh(context.Context)             {}

// jsonLine is a record as a line of JSON. At is left out where the message was
// never on the wire.
func jsonLine(r *queue.Record) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(struct { // which has no field that may fail
		ID      string       `json:"id"`
		Account string       `json:"account"`
		To      string       `json:"to"`
		At      time.Time    `json:"at,omitzero"`
		Done    time.Time    `json:"done,omitzero"`
		Typing  json.Number  `json:"typing"`
		Status  queue.Status `json:"status"`
		Code    queue.Code   `json:"code"`
		Error   string       `json:"error"`
	}{r.ID, r.Account, r.To, r.At.UTC(), r.Done.UTC(), seconds(r.Typing), r.Status, r.Code, r.Err})
	return b.String()
}

// seconds is d in seconds, exact to the nanosecond.
func seconds(d time.Duration) json.Number {
	text := fmt.Sprintf("%d.%09d", d/time.Second, d%time.Second)
	return json.Number(strings.TrimSuffix(strings.TrimRight(text, "0"), "."))
}
