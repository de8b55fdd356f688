package policy_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	_ "time/tzdata"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
)

// everyKind is a policy that uses every field there is.
func everyKind(t *testing.T) policy.Policy {
	t.Helper()
	london, err := time.LoadLocation("Europe/London")
	require.NoError(t, err)
	send := []policy.Action{policy.SendMessage}
	return policy.Policy{
		ID: 7, Slug: "every", Name: "Every <kind>", Description: `"all" of them, в одном`,
		Rules: []policy.Rule{
			{Name: "bucket", Limit: policy.TokenBucket{Max: 3, Per: 90 * time.Second, Burst: 5}},
			{Name: "bucket of one", Scope: policy.ScopeAccount, Limit: policy.TokenBucket{Max: 1, Per: time.Hour}},
			{Name: "window", Actions: []policy.Action{"a", "b*"}, Limit: policy.SlidingWindow{Max: 8, Window: time.Minute}},
			{Name: "day", Actions: send, Limit: policy.CalendarWindow{Max: 500, Unit: policy.Day, Location: time.UTC}},
			{Name: "week", Actions: send, Limit: policy.CalendarWindow{Max: 2000, Unit: policy.Week, Location: london}},
			{Name: "month", Actions: send, Limit: policy.CalendarWindow{Max: math.MaxInt64, Unit: policy.Month}},
			{Name: "pace", Actions: send, Limit: policy.Gap{Min: 5 * time.Second, Max: 9 * time.Second}},
			{Name: "pause", Actions: send, Limit: policy.Gap{Min: 1, Max: policy.MaxDuration, Every: 20}},
			{Name: "one", Actions: send, Limit: policy.Concurrency{Max: 0}},
			{Name: "pair", Actions: send, Scope: policy.ScopeRecipient, Limit: policy.TokenBucket{Max: 1, Per: 6 * time.Second, Burst: 45}},
			{Name: "tier", Actions: send, Scope: policy.ScopePortfolio, Limit: policy.UniqueRecipients{Max: 250, Window: 24 * time.Hour}},
			{Name: "strangers", Limit: policy.NewContacts{Max: 20, Window: 24 * time.Hour}, Shadow: true},
			{Name: "office", Actions: send, Limit: policy.ActiveHours{
				From: 8 * time.Hour, To: 20*time.Hour + 30*time.Minute,
				Days: policy.Days(time.Sunday, time.Monday, time.Friday), Location: london,
			}},
			{Name: "night", Scope: policy.ScopeAccount, Limit: policy.ActiveHours{From: 22*time.Hour + 15*time.Second, To: 2 * time.Hour}, Shadow: true},
			{Name: "any time", Limit: policy.ActiveHours{To: 24 * time.Hour, Location: time.UTC}},
		},
	}
}

const everyKindJSON = `{
  "id": 7,
  "slug": "every",
  "name": "Every \u003ckind\u003e",
  "description": "\"all\" of them, в одном",
  "rules": [
    {"name": "bucket", "type": "token_bucket", "max": 3, "per": "1m30s", "burst": 5},
    {"name": "bucket of one", "scope": "account", "type": "token_bucket", "max": 1, "per": "1h"},
    {"name": "window", "actions": ["a", "b*"], "type": "sliding_window", "max": 8, "window": "1m"},
    {"name": "day", "actions": ["send_message"], "type": "calendar_window", "max": 500, "unit": "day", "location": "UTC"},
    {"name": "week", "actions": ["send_message"], "type": "calendar_window", "max": 2000, "unit": "week", "location": "Europe/London"},
    {"name": "month", "actions": ["send_message"], "type": "calendar_window", "max": 9223372036854775807, "unit": "month"},
    {"name": "pace", "actions": ["send_message"], "type": "gap", "min": "5s", "max": "9s"},
    {"name": "pause", "actions": ["send_message"], "type": "gap", "min": "1ns", "max": "876600h", "every": 20},
    {"name": "one", "actions": ["send_message"], "type": "concurrency", "max": 0},
    {"name": "pair", "actions": ["send_message"], "scope": "recipient", "type": "token_bucket", "max": 1, "per": "6s", "burst": 45},
    {"name": "tier", "actions": ["send_message"], "scope": "portfolio", "type": "unique_recipients", "max": 250, "window": "24h"},
    {"name": "strangers", "shadow": true, "type": "new_contacts", "max": 20, "window": "24h"},
    {"name": "office", "actions": ["send_message"], "type": "active_hours", "from": "08:00", "to": "20:30", "days": ["mon", "fri", "sun"], "location": "Europe/London"},
    {"name": "night", "scope": "account", "shadow": true, "type": "active_hours", "from": "22:00:15", "to": "02:00"},
    {"name": "any time", "type": "active_hours", "from": "00:00", "to": "24:00", "location": "UTC"}
  ]
}
`

func TestJSONGolden(t *testing.T) {
	t.Parallel()
	var want bytes.Buffer
	require.NoError(t, json.Compact(&want, []byte(everyKindJSON)))
	got, err := json.Marshal(everyKind(t))
	require.NoError(t, err)
	require.Equal(t, want.String(), string(got))

	read, err := policy.Read(strings.NewReader(everyKindJSON))
	require.NoError(t, err)
	require.Equal(t, spell(everyKind(t)), spell(read))

	var unmarshalled policy.Policy
	require.NoError(t, json.Unmarshal([]byte(everyKindJSON), &unmarshalled))
	require.Equal(t, spell(read), spell(unmarshalled))
}

// TestJSONSpellings checks what may be written in more ways than one.
func TestJSONSpellings(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, json, written string }{
		{"shadow false", `"shadow":false,"type":"concurrency","max":1`, `"type":"concurrency","max":1`},
		{"whole day with seconds", `"type":"active_hours","from":"00:00:00","to":"24:00:00"`, `"type":"active_hours","from":"00:00","to":"24:00"`},
		{"days in any order", `"type":"active_hours","from":"08:00","to":"09:00","days":["sun","wed","mon"]`,
			`"type":"active_hours","from":"08:00","to":"09:00","days":["mon","wed","sun"]`},
		{"all days", `"type":"active_hours","from":"08:00","to":"09:00","days":["sun","mon","tue","wed","thu","fri","sat"]`,
			`"type":"active_hours","from":"08:00","to":"09:00"`},
	}
	for _, tt := range tests {
		p, err := policy.Read(strings.NewReader(`{"rules":[{"name":"r",` + tt.json + `}]}`))
		require.NoError(t, err, tt.name)
		written, err := json.Marshal(p)
		require.NoError(t, err, tt.name)
		require.Equal(t, `{"rules":[{"name":"r",`+tt.written+`}]}`, string(written), tt.name)
	}
}

func TestJSONInsideOther(t *testing.T) {
	t.Parallel()
	type config struct {
		Policy policy.Policy  `json:"policy"`
		Spare  *policy.Policy `json:"spare,omitempty"`
	}
	b, err := json.Marshal(config{Policy: policy.Unlimited()})
	require.NoError(t, err)
	require.Contains(t, string(b), `"rules":[]`, "no rules are written, not left out")
	var back config
	require.NoError(t, json.Unmarshal(b, &back))
	require.Equal(t, config{Policy: policy.Unlimited()}, back)

	b, err = json.MarshalIndent(policy.Standard(), "", "\t")
	require.NoError(t, err)
	var standard policy.Policy
	require.NoError(t, json.Unmarshal(b, &standard))
	require.Equal(t, policy.Standard(), standard)

	err = json.Unmarshal([]byte(`{"policy":null}`), &back)
	require.EqualError(t, err, `policy: null: write an object such as {"rules":[]}`)
}

// TestReadSyntax checks the places of errors of syntax; their words are
// encoding/json's.
func TestReadSyntax(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, json, place string }{
		{"empty", "", "line 1, column 1"},
		{"blank", " \n ", "line 2, column 1"},
		{"cut off", "{\n  \"rules\": [", "line 2, column 12"},
		{"comma too many", "{\n  \"rules\": [],\n}", "line 3, column 1"},
		{"comment", "{\n  \"name\": \"é\", // mine\n}", "line 2, column 16"},
		{"trailing data", "{\"rules\":[]}\n{}", "line 2, column 1"},
		{"single quotes", "{'rules':[]}", "line 1, column 2"},
		{"NaN", `{"id":NaN}`, "line 1, column 7"},
		{"leading zero", `{"id":01}`, "line 1, column 8"},
		{"nul", "{\x00}", "line 1, column 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := policy.Read(strings.NewReader(tt.json))
			var field *policy.FieldError
			require.ErrorAs(t, err, &field)
			require.Equal(t, tt.place, field.Path)
			require.Equal(t, "not JSON", field.Value)
			require.NotEmpty(t, field.Remedy)
		})
	}
}

func TestReadSkipsByteOrderMark(t *testing.T) {
	t.Parallel()
	p, err := policy.Read(strings.NewReader("\ufeff" + `{"slug":"mine","rules":[]}`))
	require.NoError(t, err)
	require.Equal(t, policy.Policy{Slug: "mine"}, p)

	long := "\ufeff" + `{"rules":[]}` + strings.Repeat(" ", 1<<20-14) + "trailing data"
	_, err = policy.Read(strings.NewReader(long))
	require.EqualError(t, err, "policy: too long: use at most 1 MiB", "nothing is cut off and forgotten")
}

func TestReadPassesReaderErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk on fire")
	_, err := policy.Read(io.MultiReader(strings.NewReader(`{"rules":[]}`), iotest.ErrReader(broken)))
	require.ErrorIs(t, err, broken)
	require.NotErrorIs(t, err, policy.ErrInvalid)
}

func TestReadStopsAtItsBound(t *testing.T) {
	t.Parallel()
	endless := &countingReader{}
	_, err := policy.Read(endless)
	require.EqualError(t, err, "policy: too long: use at most 1 MiB")
	require.LessOrEqual(t, endless.n, 4<<20)
}

type countingReader struct{ n int }

func (r *countingReader) Read(b []byte) (int, error) {
	r.n += len(b)
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}
