package policy_test

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/policy"
)

// FuzzPolicyJSON holds reading to its word for any bytes: no panic, an error that
// names fields, or a valid policy that writes and reads back as itself.
func FuzzPolicyJSON(f *testing.F) {
	f.Add([]byte(everyKindJSON))
	for _, p := range []policy.Policy{policy.Strict(), policy.Standard(), policy.Unlimited()} {
		written, err := json.Marshal(p)
		require.NoError(f, err)
		f.Add(written)
	}
	f.Add([]byte("\ufeff" + `{"rules":[],"rules":{}}`))
	f.Add([]byte(`{"id":-1,"rules":[{"name":"a","type":"gap","min":"9s","max":"5s","unit":"day"},{"actions":[1]},null]}`))
	f.Add([]byte(`{"rules":[{"name":"a","type":"calendar_window","max":1e3,"unit":"","location":"Local"}]}`))
	f.Add([]byte(`{"rules":[{"name":"a","type":"token_bucket","max":1,"per":"876600h","burst":9223372036854775807}]}`))
	f.Add([]byte(`{"rules":[{"name":"a","type":"active_hours","from":"24:00","to":"0:00","days":["mon","mon","Tue",[]],"location":"Local"}]}`))
	f.Add([]byte(`{"rules":[{"name":"a","scope":"portfolio","shadow":true,"type":"active_hours","from":"22:00:15","to":"02:00","days":[]}]}`))
	f.Add([]byte("[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]"))
	f.Add([]byte("{\"name\":\"\xff\"}"))

	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := policy.Read(bytes.NewReader(data))
		if err != nil {
			require.ErrorIs(t, err, policy.ErrInvalid)
			var field *policy.FieldError
			require.ErrorAs(t, err, &field)
			require.NotEmpty(t, field.Value)
			require.NotEmpty(t, field.Remedy)
			require.Zero(t, p)
			return
		}
		require.NoError(t, p.Validate())
		for _, w := range p.Lint() {
			require.NotEmpty(t, w.Text)
		}
		require.LessOrEqual(t, p.WorstCase(1), p.WorstCase(time.Hour))
		require.LessOrEqual(t, p.WorstCase(time.Hour), p.WorstCase(math.MaxInt64))
		written, err := json.Marshal(p)
		if err != nil && len(data) > 1<<16 {
			return // escapes may carry a long text over the bound
		}
		require.NoError(t, err)
		back, err := policy.Read(bytes.NewReader(written))
		require.NoError(t, err)
		require.Equal(t, spell(p), spell(back))
		again, err := json.Marshal(back)
		require.NoError(t, err)
		require.Equal(t, string(written), string(again))
	})
}
