package expr

import (
	"fmt"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// Bounds of what `names` shows, so that a reason stays a sentence however many
// guilty rules there are and whatever they are called.
const (
	maxNames = 3
	maxName  = 100
)

func ownFunctions() []cel.EnvOption {
	element := cel.TypeParamType("T")
	return []cel.EnvOption{
		cel.Function("names", cel.Overload("names_text_list", []*cel.Type{cel.StringType, cel.ListType(element)},
			cel.StringType, cel.BinaryBinding(names))),
		cel.Function("count", cel.Overload("count_int_text_text", []*cel.Type{cel.IntType, cel.StringType, cel.StringType},
			cel.StringType, cel.FunctionBinding(count))),
	}
}

// names words a list: names("firewall rule", rules) is `firewall rule "a"`, or
// `firewall rules "a", "b", "c" and 2 more`. The elements are texts, or objects
// with a name. Names are quoted, so that what somebody called a rule cannot
// pass for part of the sentence.
func names(noun, list ref.Val) ref.Val {
	l, ok := list.(traits.Lister)
	if !ok {
		return types.MaybeNoSuchOverloadErr(list)
	}
	size := int(l.Size().(types.Int))
	shown := make([]string, 0, maxNames)
	for i := range min(size, maxNames) {
		name, err := nameOf(l.Get(types.Int(i)))
		if err != nil {
			return types.WrapErr(err)
		}
		shown = append(shown, quote(name))
	}
	words := string(noun.(types.String))
	if size != 1 {
		words += "s"
	}
	switch {
	case size == 0:
		return types.String("no " + words)
	case size > maxNames:
		return types.String(fmt.Sprintf("%s %s and %d more", words, strings.Join(shown, ", "), size-maxNames))
	case size > 1:
		last := len(shown) - 1
		return types.String(words + " " + strings.Join(shown[:last], ", ") + " and " + shown[last])
	default:
		return types.String(words + " " + shown[0])
	}
}

func nameOf(v ref.Val) (string, error) {
	if m, ok := v.(traits.Mapper); ok {
		name, found := m.Find(types.String("name"))
		if !found {
			return "", fmt.Errorf("names() was given an object without a name")
		}
		v = name
	}
	s, ok := v.(types.String)
	if !ok {
		return "", fmt.Errorf("names() takes texts or objects with a name, not %s", v.Type().TypeName())
	}
	return string(s), nil
}

func quote(s string) string { return strconv.Quote(shorten(s, maxName)) }

// count words a number: count(2, "address", "addresses") is "2 addresses", and
// thousands are set apart.
func count(args ...ref.Val) ref.Val {
	n, one, many := args[0].(types.Int), args[1].(types.String), args[2].(types.String)
	if n == 1 {
		return "1 " + one
	}
	return types.String(group(int64(n))) + " " + many
}

func group(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}
