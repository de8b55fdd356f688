package policy_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
)

// TestReadBad gives each bad text the exact lines of its error, all at once.
func TestReadBad(t *testing.T) {
	t.Parallel()
	const (
		kinds = "use token_bucket, sliding_window, calendar_window, gap, concurrency, unique_recipients, new_contacts or active_hours"
		zone  = "use UTC or a time zone such as Europe/London that this system knows, or import time/tzdata"
		span  = "write a duration such as 5s, 1m30s or 24h"
		clock = "write a time of day such as 08:00 or 20:30:15"
		days  = `list days, such as ["mon","tue"], or leave days out for every day`
		day   = "use mon, tue, wed, thu, fri, sat or sun"
	)
	rule := func(fields string) string { return `{"rules":[{"name":"r",` + fields + `}]}` }
	tests := []struct {
		name string
		json string
		want []string
	}{
		{"list", `[]`, []string{`policy: a list: write an object such as {"rules":[]}`}},
		{"text", `"strict"`, []string{`policy: "strict": write an object such as {"rules":[]}`}},
		{"null", `null`, []string{`policy: null: write an object such as {"rules":[]}`}},
		{"no rules", `{}`, []string{
			"policy: rules: missing: list the rules, or write [] for a policy that allows everything",
		}},
		{"rules null", `{"rules":null}`, []string{
			"policy: rules: null: list the rules, or write [] for a policy that allows everything",
		}},
		{"rules an object", `{"rules":{"0":{}}}`, []string{
			"policy: rules: an object: list the rules, or write [] for a policy that allows everything",
		}},
		{"wrong types above", `{"id":"1","slug":1,"name":[],"description":{},"rules":[]}`, []string{
			`policy: id: "1": write a whole number`,
			"policy: slug: 1: write a text",
			"policy: name: a list: write a text",
			"policy: description: an object: write a text",
		}},
		{"unknown above", `{"rules":[],"Rules":[],"limits":{"x":1},"":true,"a.b":false,"` + strings.Repeat("x", 70) + `":null}`, []string{
			"policy: Rules: a list: unknown field; known are id, slug, name, description and rules",
			"policy: limits: an object: unknown field; known are id, slug, name, description and rules",
			`policy: "": true: unknown field; known are id, slug, name, description and rules`,
			`policy: "a.b": false: unknown field; known are id, slug, name, description and rules`,
			`policy: "` + strings.Repeat("x", 64) + `...": null: unknown field; known are id, slug, name, description and rules`,
		}},
		{"given twice", `{"id":1,"rules":[],"id":2,"x":1,"x":2,"rules":[{}]}`, []string{
			"policy: id: 2: given twice; keep one",
			"policy: x: 1: unknown field; known are id, slug, name, description and rules",
			"policy: rules: a list: given twice; keep one",
		}},
		{"given twice, once escaped", `{"rules":[],"\u0072ules":[]}`, []string{
			"policy: rules: a list: given twice; keep one",
		}},
		{"rules that are none", `{"rules":[null,5,[],"gap",{}]}`, []string{
			"policy: rules[0]: null: write a rule as an object",
			"policy: rules[1]: 5: write a rule as an object",
			"policy: rules[2]: a list: write a rule as an object",
			`policy: rules[3]: "gap": write a rule as an object`,
			"policy: rules[4].name: missing: give the rule a name",
			"policy: rules[4].type: missing: " + kinds,
		}},
		{"too many rules", `{"rules":[` + strings.Repeat("0,", policy.MaxRules) + `0]}`, append(
			[]string{"policy: rules: 65: use at most 64 rules"}, eachRule(policy.MaxRules, "policy: rules[%d]: 0: write a rule as an object")...,
		)},
		{"rule's own fields", `{"rules":[{"name":null,"actions":"send_message","scope":5,"shadow":null,"type":"gap","min":"1s","max":"2s"}]}`, []string{
			"policy: rules[0].name: null: give the rule a name",
			`policy: rules[0].actions: "send_message": list actions, such as ["send_message"]`,
			"policy: rules[0].scope: 5: use account, recipient or portfolio",
			"policy: rules[0].shadow: null: write true or false",
		}},
		{"shadow", `{"rules":[
			{"name":"a","shadow":"true","type":"concurrency","max":1},{"name":"b","shadow":1,"type":"concurrency","max":1},
			{"name":"c","shadow":true,"shadow":false,"type":"concurrency","max":1}]}`, []string{
			`policy: rules[0].shadow: "true": write true or false`,
			"policy: rules[1].shadow: 1: write true or false",
			"policy: rules[2].shadow: false: given twice; keep one",
		}},
		{"scopes that a type cannot have", `{"rules":[
			{"name":"a","scope":"portfolio","type":"gap","min":"1s","max":"2s"},
			{"name":"b","scope":"recipient","type":"unique_recipients","max":1,"window":"1h"},
			{"name":"c","scope":"recipient","type":"active_hours","from":"08:00","to":"08:00"},
			{"name":"d","scope":"recipients","type":"leaky"}]}`, []string{
			`policy: rules[0].scope: "portfolio": gap cannot have this scope; use account or recipient`,
			`policy: rules[1].scope: "recipient": unique_recipients cannot have this scope; use account or portfolio`,
			`policy: rules[2].scope: "recipient": active_hours cannot have this scope; use account`,
			`policy: rules[2].to: "08:00": use another time than from; for a whole day use 00:00 to 24:00`,
			`policy: rules[3].type: "leaky": ` + kinds,
			`policy: rules[3].scope: "recipients": use account, recipient or portfolio`,
		}},
		{"times of day", `{"rules":[
			{"name":"a","type":"active_hours","from":"8:00","to":"20"},{"name":"b","type":"active_hours","from":"08:60","to":"24:01"},
			{"name":"c","type":"active_hours","from":"24:00","to":"00:00"},{"name":"d","type":"active_hours","from":"08:00:00.5","to":"8pm"},
			{"name":"e","type":"active_hours","from":8,"to":null},{"name":"f","type":"active_hours","from":"8h","to":""},
			{"name":"g","type":"active_hours","from":"-08:00","to":"20:30:60"},{"name":"h","type":"active_hours","from":"08:00 ","to":"+9:00"}]}`, []string{
			`policy: rules[0].from: "8:00": ` + clock,
			`policy: rules[0].to: "20": ` + clock,
			`policy: rules[1].from: "08:60": ` + clock,
			`policy: rules[1].to: "24:01": ` + clock,
			`policy: rules[2].from: "24:00": use a time of day from 00:00 to 23:59:59`,
			`policy: rules[2].to: "00:00": use a time of day from 00:00:01 to 24:00, the end of the day`,
			`policy: rules[3].from: "08:00:00.5": ` + clock,
			`policy: rules[3].to: "8pm": ` + clock,
			"policy: rules[4].from: 8: " + clock,
			"policy: rules[4].to: null: " + clock,
			`policy: rules[5].from: "8h": ` + clock,
			`policy: rules[5].to: "": ` + clock,
			`policy: rules[6].from: "-08:00": ` + clock,
			`policy: rules[6].to: "20:30:60": ` + clock,
			`policy: rules[7].from: "08:00 ": ` + clock,
			`policy: rules[7].to: "+9:00": ` + clock,
		}},
		{"days", `{"rules":[
			{"name":"a","type":"active_hours","from":"08:00","to":"20:00","days":[]},
			{"name":"b","type":"active_hours","from":"08:00","to":"20:00","days":"mon"},
			{"name":"c","type":"active_hours","from":"08:00","to":"20:00","days":null},
			{"name":"d","type":"active_hours","from":"08:00","to":"20:00","days":["Mon","monday","",1,["tue"],"?"]},
			{"name":"e","type":"active_hours","from":"08:00","to":"20:00","days":["mon","sun","mon","sun","mon"]}]}`, []string{
			"policy: rules[0].days: an empty list: " + days,
			`policy: rules[1].days: "mon": ` + days,
			"policy: rules[2].days: null: " + days,
			`policy: rules[3].days[0]: "Mon": ` + day,
			`policy: rules[3].days[1]: "monday": ` + day,
			`policy: rules[3].days[2]: "": ` + day,
			"policy: rules[3].days[3]: 1: " + day,
			"policy: rules[3].days[4]: a list: " + day,
			`policy: rules[3].days[5]: "?": ` + day,
			`policy: rules[4].days[2]: "mon": given twice; keep one`,
			`policy: rules[4].days[3]: "sun": given twice; keep one`,
			`policy: rules[4].days[4]: "mon": given twice; keep one`,
		}},
		{"actions", rule(`"actions":["",1,"ok",null],"type":"concurrency","max":1`), []string{
			"policy: rules[0].actions[1]: 1: name an action, or leave actions out for all",
			"policy: rules[0].actions[3]: null: name an action, or leave actions out for all",
			`policy: rules[0].actions[0]: "": name an action, or leave actions out for all`,
		}},
		{"two rules of one name", `{"rules":[{"name":"a","type":"concurrency","max":1},{"name":"a","type":"concurrency","max":2}]}`, []string{
			`policy: rules[1].name: "a": rules[0] has this name; choose another`,
		}},
		{"unknown type", rule(`"type":"leaky","max":"many","per":5,"speed":9`), []string{
			`policy: rules[0].type: "leaky": ` + kinds,
			"policy: rules[0].speed: 9: unknown field; known are name, actions, scope, shadow and type",
		}},
		{"type of another kind", rule(`"type":["gap"]`), []string{"policy: rules[0].type: a list: " + kinds}},
		{"conflicting fields", rule(`"type":"gap","min":"5s","max":"9s","window":"1m","burst":3,"speed":9`), []string{
			`policy: rules[0].window: "1m": gap has no such field; leave it out, or use sliding_window, unique_recipients or new_contacts`,
			"policy: rules[0].burst: 3: gap has no such field; leave it out, or use token_bucket",
			"policy: rules[0].speed: 9: unknown field; known are name, actions, scope, shadow, type, min, max and every",
		}},
		{"conflicting field of several kinds", rule(`"type":"gap","min":"5s","max":"9s","unit":"day"`), []string{
			`policy: rules[0].unit: "day": gap has no such field; leave it out, or use calendar_window`,
		}},
		{"missing numbers", `{"rules":[
			{"name":"a","type":"token_bucket"},{"name":"b","type":"sliding_window"},{"name":"c","type":"calendar_window"},
			{"name":"d","type":"gap"},{"name":"e","type":"concurrency"},
			{"name":"f","type":"unique_recipients"},{"name":"g","type":"new_contacts"},{"name":"h","type":"active_hours"}]}`, []string{
			"policy: rules[0].max: missing: write a whole number",
			"policy: rules[0].per: missing: " + span,
			"policy: rules[1].max: missing: write a whole number",
			"policy: rules[1].window: missing: " + span,
			"policy: rules[2].max: missing: write a whole number",
			"policy: rules[2].unit: missing: use minute, hour, day, week or month",
			"policy: rules[3].min: missing: " + span,
			"policy: rules[3].max: missing: " + span,
			"policy: rules[4].max: missing: write a whole number",
			"policy: rules[5].max: missing: write a whole number",
			"policy: rules[5].window: missing: " + span,
			"policy: rules[6].max: missing: write a whole number",
			"policy: rules[6].window: missing: " + span,
			"policy: rules[7].from: missing: " + clock,
			"policy: rules[7].to: missing: " + clock,
		}},
		{"not whole numbers", `{"rules":[
			{"name":"a","type":"concurrency","max":1.5},{"name":"b","type":"concurrency","max":1e3},{"name":"c","type":"concurrency","max":5.0},
			{"name":"d","type":"concurrency","max":"5"},{"name":"e","type":"concurrency","max":true},{"name":"f","type":"concurrency","max":null}]}`, []string{
			"policy: rules[0].max: 1.5: write a whole number",
			"policy: rules[1].max: 1e3: write a whole number",
			"policy: rules[2].max: 5.0: write a whole number",
			`policy: rules[3].max: "5": write a whole number`,
			"policy: rules[4].max: true: write a whole number",
			"policy: rules[5].max: null: write a whole number",
		}},
		{"numbers too large", `{"id":9223372036854775808,"rules":[
			{"name":"a","type":"concurrency","max":9223372036854775808},{"name":"b","type":"concurrency","max":-9223372036854775809},
			{"name":"c","type":"concurrency","max":-1}]}`, []string{
			fmt.Sprintf("policy: id: 9223372036854775808: use at most %d", math.MaxInt),
			"policy: rules[0].max: 9223372036854775808: use at most 9223372036854775807",
			"policy: rules[1].max: -9223372036854775809: use 0 or more",
			"policy: rules[2].max: -1: use 0 to refuse everything, or more",
		}},
		{"number below none", `{"id":-9223372036854775808,"rules":[]}`, []string{"policy: id: -9223372036854775808: use 0 for none, or more"}},
		{"durations", `{"rules":[
			{"name":"a","type":"gap","min":"5 seconds","max":5},{"name":"b","type":"gap","min":"-1s","max":""},
			{"name":"c","type":"gap","min":"1s","max":"1d"},{"name":"d","type":"gap","min":"2s","max":"1s"}]}`, []string{
			`policy: rules[0].min: "5 seconds": ` + span,
			"policy: rules[0].max: 5: " + span,
			`policy: rules[1].max: "": ` + span,
			"policy: rules[1].min: -1s: use 0s or more",
			`policy: rules[2].max: "1d": ` + span,
			"policy: rules[3].max: 1s: use at least min, 2s",
		}},
		{"durations too long", `{"rules":[
			{"name":"a","type":"sliding_window","max":1,"window":"876601h"},
			{"name":"b","type":"sliding_window","max":1,"window":"9999999999h1.5s"},
			{"name":"c","type":"sliding_window","max":1,"window":"+.5h99999999999999999999.µs"},
			{"name":"d","type":"sliding_window","max":1,"window":"--9999999999h"}]}`, []string{
			"policy: rules[0].window: 876601h: use at most 876600h",
			`policy: rules[1].window: "9999999999h1.5s": use at most 876600h`,
			`policy: rules[2].window: "+.5h99999999999999999999.µs": use at most 876600h`,
			`policy: rules[3].window: "--9999999999h": ` + span,
		}},
		{"time zones", `{"rules":[
			{"name":"a","type":"calendar_window","max":1,"unit":"day","location":"Mars/Olympus"},
			{"name":"b","type":"calendar_window","max":1,"unit":"day","location":"Local"},
			{"name":"c","type":"calendar_window","max":1,"unit":"day","location":""},
			{"name":"d","type":"calendar_window","max":1,"unit":"day","location":"../../etc/passwd"},
			{"name":"e","type":"calendar_window","max":1,"unit":"day","location":0},
			{"name":"f","type":"calendar_window","max":1,"unit":"day","location":"\u0000"},
			{"name":"g","type":"calendar_window","max":1,"unit":"days","location":null},
			{"name":"h","type":"active_hours","from":"08:00","to":"20:00","location":"Mars/Olympus"}]}`, []string{
			`policy: rules[0].location: "Mars/Olympus": ` + zone,
			`policy: rules[1].location: "Local": ` + zone,
			`policy: rules[2].location: "": ` + zone,
			`policy: rules[3].location: "../../etc/passwd": ` + zone,
			"policy: rules[4].location: 0: " + zone,
			`policy: rules[5].location: "\x00": ` + zone,
			"policy: rules[6].location: null: " + zone,
			`policy: rules[6].unit: "days": use minute, hour, day, week or month`,
			`policy: rules[7].location: "Mars/Olympus": ` + zone,
		}},
		{"read and checked in one go", `{"id":1.5,"rules":[
			{"name":"a","type":"token_bucket","max":-1,"per":"0s","burst":-3,"x":1},
			{"name":"a","type":"gap","min":"9s","max":"5s","every":-1},
			{"name":"capacity","type":"sliding_window","max":1,"window":"1m","window":"2m"}]}`, []string{
			"policy: id: 1.5: write a whole number",
			"policy: rules[0].x: 1: unknown field; known are name, actions, scope, shadow, type, max, per and burst",
			"policy: rules[0].max: -1: use 0 to refuse everything, or more",
			"policy: rules[0].per: 0s: use a positive duration such as 1m",
			"policy: rules[0].burst: -3: use 1 or more, or 0 for 1",
			`policy: rules[1].name: "a": rules[0] has this name; choose another`,
			"policy: rules[1].max: 5s: use at least min, 9s",
			"policy: rules[1].every: -1: use 1 or more, or 0 for 1",
			`policy: rules[2].window: "2m": given twice; keep one`,
			`policy: rules[2].name: "capacity": the limiter's own answers have this name; choose another`,
		}},
		{"long values are cut", rule(`"type":"` + strings.Repeat("x", 100) + `"`), []string{
			`policy: rules[0].type: "` + strings.Repeat("x", 64) + `...": ` + kinds,
		}},
		{"not UTF-8", "{\n\"name\":\"é\xff\"}", []string{"policy: line 2, column 10: byte 0xff: write the file in UTF-8"}},
		{"too long", strings.Repeat(" ", 1<<20) + "{}", []string{"policy: too long: use at most 1 MiB"}},
		{"too deep", `{"rules":[{"x":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}]}`, []string{
			"policy: line 1, column 28: not a policy: it nests too deep; a policy is an object with a list of rules",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			read, err := policy.Read(strings.NewReader(tt.json))
			require.ErrorIs(t, err, policy.ErrInvalid)
			require.Equal(t, tt.want, messages(err))
			require.Zero(t, read)

			p := policy.Strict()
			require.Equal(t, tt.want, messages(p.UnmarshalJSON([]byte(tt.json))))
			require.Equal(t, policy.Strict(), p, "an error leaves the policy as it was")
		})
	}
}

func TestMarshalBad(t *testing.T) {
	t.Parallel()
	london, err := time.LoadLocation("Europe/London")
	require.NoError(t, err)
	tests := []struct {
		name     string
		location *time.Location
		writable bool
	}{
		{"nil", nil, true},
		{"UTC", time.UTC, true},
		{"loaded", london, true},
		{"fixed, same as a loaded one", time.FixedZone("UTC", 0), true},
		{"Local", time.Local, false},
		{"fixed", time.FixedZone("CEST", 7200), false},
		{"fixed, no name", time.FixedZone("", 7200), false},
		{"fixed, called UTC", time.FixedZone("UTC", 3600), false},
		{"fixed, called London", time.FixedZone("Europe/London", 0), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := policy.Policy{Rules: []policy.Rule{
				{Name: "day", Limit: policy.CalendarWindow{Unit: policy.Day, Location: tt.location}},
				{Name: "hours", Limit: policy.ActiveHours{To: time.Hour, Location: tt.location}},
			}}
			require.NoError(t, p.Validate())
			_, err := json.Marshal(p)
			if tt.writable {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, policy.ErrInvalid)
			for i := range p.Rules {
				require.ErrorContains(t, err, fmt.Sprintf("policy: rules[%d].location: %q: a zone that is not loaded by its name cannot be written; use time.LoadLocation", i, tt.location))
			}
		})
	}

	_, err = json.Marshal(policy.Policy{Description: strings.Repeat("<", 1<<18)})
	require.ErrorContains(t, err, "bytes of JSON: use at most 1 MiB", "Read would not take it back")
}

func eachRule(n int, format string) []string {
	var lines []string
	for i := range n {
		lines = append(lines, fmt.Sprintf(format, i))
	}
	return lines
}
