package headers

import (
	"errors"
	"fmt"

	"github.com/wapace/wapace/internal/mask"
)

// ErrOption is wrapped by every [OptionError].
var ErrOption = errors.New("headers: bad option")

// An OptionError says what is wrong with an argument of a constructor. It wraps
// [ErrOption].
type OptionError struct {
	Field  string // the field's name in lower case
	Value  string // the value, with digits masked and cut to a line
	Remedy string // what to give instead
}

// Error names the field, the value and the remedy.
func (e *OptionError) Error() string {
	return fmt.Sprintf("headers: %s %s: %s", e.Field, e.Value, e.Remedy)
}

// Unwrap makes errors.Is(err, [ErrOption]) true.
func (e *OptionError) Unwrap() error { return ErrOption }

func optionError(field string, value any, remedy string) error {
	text := fmt.Sprint(value)
	if s, ok := value.(string); ok {
		text = quoted(s)
	}
	return &OptionError{field, text, remedy}
}

// quoted shows a value from outside on a line, with digits masked and cut short.
func quoted(s string) string { return fmt.Sprintf("%q", mask.Phone(s)) }
