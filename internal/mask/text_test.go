package mask_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/internal/mask"
)

func TestText(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"empty", "", ""},
		{"no digits", "connection reset", "connection reset"},
		{"a number in a sentence", "no account for 447700900001: gone", "no account for 4477******01: gone"},
		{"two numbers", "447700900001 is not 447700900002", "4477******01 is not 4477******02"},
		{"number alone", "44770012323", "4477*****23"},
		{"eight digits", "id 12345678", "id 1234**78"},
		{"seven digits stay", "code 1234567", "code 1234567"},
		{"status codes and ports stay", "dial 127.0.0.1:8080: status 503", "dial 127.0.0.1:8080: status 503"},
		{"Arabic-Indic", "رقم ٤٤٧٧٠٠٩٠٠٠٠١", "رقم ٤٤٧٧******٠١"},
		{"a long run is cut", "n=" + strings.Repeat("4", 100) + " end", "n=4444" + strings.Repeat("*", 60) + "... end"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, mask.Text(tt.in))
		})
	}
}
