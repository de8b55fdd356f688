package headers_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/headers"
	"github.com/wapace/wapace/limiter"
)

// A vector is one case of a file: what goes in, by operation, and what must come
// out. Keys of what must come out that are absent are not compared.
type vector struct {
	ID      string
	Op      string
	Headers map[string][]string
	Profile string
	Status  int
	Body    string
	Remote  string
	Trusted []string
	State   *vectorState
	Want    any
	Why     string

	ContentType string `json:"content_type"`
}

type vectorState struct {
	Policy    string
	Limit     int64
	Remaining int64
	Unit      string
	PK        string
	Denied    bool
	WindowMS  int64 `json:"window_ms"`
	ResetMS   int64 `json:"reset_ms"`
	RetryMS   int64 `json:"retry_ms"`
}

// vectorTime is the receiver's clock in every vector.
var vectorTime = time.Unix(1786795200, 0).UTC()

// TestVectors runs the vectors of testdata and of every further file that the
// variable HEADER_VECTORS names, and says for each file how many there were. Those of
// edges.json go along the bounds of every row of the table of operations.
func TestVectors(t *testing.T) {
	t.Parallel()
	files := []string{filepath.Join("testdata", "headers.json"), filepath.Join("testdata", "edges.json")}
	files = append(files, filepath.SplitList(os.Getenv("HEADER_VECTORS"))...)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil && !filepath.IsAbs(file) {
			text, err = os.ReadFile(filepath.Join("..", file)) // named from the module's root
		}
		require.NoError(t, err)
		var vectors []vector
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		require.NoError(t, decoder.Decode(&vectors), file)
		require.NotEmpty(t, vectors, file)

		failed := 0
		for _, v := range vectors {
			if trouble := v.run(); trouble != "" {
				failed++
				t.Errorf("%s %s: %s (%s)", file, v.ID, trouble, v.Why)
			}
		}
		fmt.Printf("%s: %d vectors, %d failed\n", file, len(vectors), failed)
	}
}

// run says what is wrong with what comes out.
func (v *vector) run() string {
	ops := map[string]func() any{
		"retry-after": v.retryAfter,
		"reset":       v.reset,
		"triple":      v.triple,
		"policy":      v.policy,
		"limit":       v.limit,
		"body":        v.body,
		"usage":       v.usage,
		"client-ip":   v.clientIP,
		"emit":        v.emit,
	}
	op, known := ops[v.Op]
	if !known {
		return fmt.Sprintf("the operation %q is not known", v.Op)
	}
	return difference(v.Want, op())
}

// difference compares what is wanted with what came out, as far as it is wanted.
func difference(want, got any) string {
	switch want := want.(type) {
	case map[string]any:
		fields, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("want %v, got %v", want, got)
		}
		for key, value := range want {
			if trouble := difference(value, fields[key]); trouble != "" {
				return key + ": " + trouble
			}
		}
		return ""
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return fmt.Sprintf("want %v, got %v", want, got)
		}
		for i := range want {
			if trouble := difference(want[i], list[i]); trouble != "" {
				return fmt.Sprintf("%d: %s", i, trouble)
			}
		}
		return ""
	}
	if fmt.Sprint(want) != fmt.Sprint(got) {
		return fmt.Sprintf("want %v, got %v", want, got)
	}
	return ""
}

func (v *vector) header() http.Header {
	h := http.Header{}
	for name, lines := range v.Headers {
		for _, line := range lines {
			h.Add(name, line)
		}
	}
	return h
}

func (v *vector) parse(status int, body []byte) headers.Advice {
	form, known := map[string]headers.ResetForm{
		"":         headers.ResetGuess,
		"epoch":    headers.ResetEpoch,
		"delta":    headers.ResetDelta,
		"delta-ms": headers.ResetDeltaMillis,
	}[v.Profile]
	if !known {
		return headers.Advice{Code: "the profile " + v.Profile + " is not known"}
	}
	h := v.header()
	if v.ContentType != "" {
		h.Set("Content-Type", v.ContentType)
	}
	answer := &http.Response{StatusCode: status, Header: h}
	return headers.Parse(answer, body, vectorTime, &headers.ParseOptions{Reset: form})
}

// wait is a time to wait, nil where none was written.
func wait(d time.Duration, kind headers.Kind, clamped bool) any {
	if kind == 0 {
		return nil
	}
	ms := (d + time.Millisecond - 1) / time.Millisecond
	return map[string]any{"ms": int64(ms), "kind": kind.String(), "clamped": clamped}
}

func (v *vector) retryAfter() any {
	a := v.parse(http.StatusTooManyRequests, nil)
	return wait(a.Wait, a.Kind, a.Clamped)
}

func (v *vector) reset() any {
	a := v.parse(http.StatusOK, nil)
	return wait(a.Reset, a.ResetKind, a.Clamped)
}

func (v *vector) triple() any {
	a := v.parse(http.StatusOK, nil)
	for _, s := range a.ServiceLimits {
		if s.Source != "RateLimit" {
			return map[string]any{
				"prefix":    s.Source,
				"limit":     told(s.Limit),
				"remaining": told(s.Remaining),
				"wait":      wait(a.Reset, a.ResetKind, a.Clamped),
			}
		}
	}
	return nil
}

func told(n int64) any {
	if n == headers.Unknown {
		return nil
	}
	return n
}

// items are those of a field. A field of which nothing could be used is nil if that is
// what is wanted.
func (v *vector) items(field string, items []any, a headers.Advice) any {
	if v.Want == nil && len(items) == 0 {
		return nil
	}
	return map[string]any{"items": items, "malformed": slices.Contains(a.Malformed, http.CanonicalHeaderKey(field))}
}

func partition(key []byte) any {
	if key == nil {
		return nil
	}
	return base64.StdEncoding.EncodeToString(key)
}

func (v *vector) policy() any {
	a := v.parse(http.StatusOK, nil)
	items := []any{}
	for _, q := range a.Quotas {
		item := map[string]any{"name": q.Name, "q": q.Limit, "qu": q.Unit, "pk": partition(q.Partition)}
		if q.Window > 0 {
			item["w"] = int64(q.Window / time.Second)
		}
		items = append(items, item)
	}
	return v.items("RateLimit-Policy", items, a)
}

func (v *vector) limit() any {
	a := v.parse(http.StatusOK, nil)
	items := []any{}
	for _, s := range a.ServiceLimits {
		if s.Source != "RateLimit" {
			continue
		}
		item := map[string]any{"name": s.Name, "r": s.Remaining, "q": told(s.Limit), "pk": partition(s.Partition)}
		if s.ResetKind != 0 {
			item["t"] = int64(s.Reset / time.Second)
		}
		if s.Cost > 0 {
			item["c"] = s.Cost
		}
		items = append(items, item)
	}
	return v.items("RateLimit", items, a)
}

func (v *vector) body() any {
	a := v.parse(v.Status, []byte(v.Body))
	got := map[string]any{"limited": a.Limited}
	if a.Code != "" {
		got["code"] = a.Code
	}
	if a.Kind != 0 && a.Kind != headers.Documented {
		got["ms"] = a.Wait.Milliseconds()
	}
	if a.Violated != nil {
		violated := []any{}
		for _, name := range a.Violated {
			violated = append(violated, name)
		}
		got["violated"] = violated
	}
	return got
}

func (v *vector) usage() any {
	u := v.parse(http.StatusOK, nil).Usage
	if u == nil {
		return nil
	}
	return map[string]any{"max": u.Percent, "ms": u.Regain.Milliseconds(), "clamped": u.Clamped}
}

func (v *vector) clientIP() any {
	key := headers.KeyFunc(headers.PeerAddress)
	if len(v.Trusted) > 0 {
		var prefixes []netip.Prefix
		for _, s := range v.Trusted {
			p, err := netip.ParsePrefix(s)
			if addr, bad := netip.ParseAddr(s); bad == nil {
				p, err = addr.Prefix(addr.BitLen())
			}
			if err != nil {
				return err
			}
			prefixes = append(prefixes, p)
		}
		var err error
		if key, err = headers.TrustedProxies(prefixes...); err != nil {
			return err
		}
	}
	client, err := key(&http.Request{RemoteAddr: v.Remote, Header: v.header()})
	if err != nil {
		return "invalid"
	}
	return client
}

func (v *vector) emit() any {
	s := v.State
	if s == nil {
		return "there is no state"
	}
	ms := func(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
	printer, err := headers.NewPrinter([]headers.Quota{
		{Name: s.Policy, Limit: s.Limit, Window: ms(s.WindowMS), Unit: s.Unit},
	}, nil)
	if err != nil {
		return map[string]any{"error": true}
	}
	state := headers.State{Decision: limiter.Decision{Gate: limiter.Gate{
		Rule: s.Policy, Answer: limiter.Allowed, Limit: s.Limit, Remaining: s.Remaining, Reset: ms(s.ResetMS),
	}}}
	if s.Denied {
		state.Decision.Answer, state.Decision.RetryAfter = limiter.Later, ms(s.RetryMS)
	}
	if s.PK != "" {
		state.Partition = []byte(s.PK)
	}
	h := http.Header{}
	printer.Print(h, vectorTime, state)
	got := map[string]any{}
	for _, field := range []string{"RateLimit-Policy", "RateLimit", "X-RateLimit-Limit", "X-RateLimit-Remaining",
		"X-RateLimit-Reset", "Retry-After"} {
		if lines := h.Values(field); len(lines) > 0 {
			got[field] = strings.Join(lines, " and ")
		}
	}
	return got
}
