"""The cases of make_template_goldens.py: template expressions with their context, and conversations."""

CONTEXT = {
    "s": "Hello, Wörld! 🎉",
    "blank": " \n\t padded \u00a0\n",
    "n": 7,
    "f": 2.5,
    "yes": True,
    "none_value": None,
    "items": [3, 1, 2],
    "words": ["beta", "Alpha", "gamma", "alpha"],
    "d": {"b": 1, "a": [1, 2.0, None, True], "items": "shadow", "é": "ü"},
    "people": [
        {"name": "Ann", "age": 30, "city": {"name": "Oslo"}, "tags": ["x", "y"]},
        {"name": "bob", "age": 25, "city": {"name": "Bern"}, "admin": True},
        {"name": "Cy", "age": 30, "city": {"name": "Oslo"}, "admin": False},
    ],
    "html": "<b>\"Tom\" & 'Jerry'</b>",
    "lines": "one\ntwo\n\nfour",
}

# each is printed as {{ … }}
EXPRESSIONS = r"""
1 + 2 * 3
7 // 2, -7 // 2, 7 % -3, -7 % 3
7 / 2, 6 / 2, 1 / 3
2 ** 10, 2 ** -1, -2 ** 2, 2 ** 3 ** 2
7.5 // 2, -7.5 % 2, 7.5 // -2, 0.1 + 0.2
1e16, 1e15, 123456789012345680.0, 1e-5, 0.0001, 1.5e300, 1e22, 100.0
1_000 + 0x1F + 0b101 + 0o17, 1_0.5
-5, +5, - -5, -n, -f
True + True, -True, true and 1, 1 == 1.0, 1 == True
9223372036854775807
1 / 0
1 % 0
1.0 // 0
'a' + 1
none + 1
[1] + [2, 3], (1,) + (2,), [1, 2] * 2, 'ab' * 3, 3 * 'x', 'a' * -1, (1,) * 2
[1] + (2,)
1 < 2 < 3, 1 < 3 < 2, 3 > 2 >= 2, 1 == 1 != 2
'a' < 'b', 'a' < 'B', [1, 2] < [1, 3], (1, 2) <= (1, 2), 'é' > 'z'
1 < 'a'
none < 1
'ell' in s, 'z' not in s, 3 in items, 'b' in d, 1 in d, '' in '', 5 in (1, 5)
1 in 'abc'
1 in 5
not yes, not not yes, not 0
0 or 'x', '' or none, 1 and 'y', [] and 1, none or false or 0
'yes' if n > 5 else 'no', ('x' if false)
('x' if false) is defined
n ~ ' ' ~ f ~ ' ' ~ none ~ true ~ [1, 'a'] ~ missing
s[0], s[-1], s[7], s[7:10], s[::-1], s[-3:], s[:5], s[5:2], s[::3], s[-1:-4:-1]
s[100], s[100:], s[-100:2]
items[0], items[-1], items[1:], items[::-1], items[5], items[:-1], items[5:1:-2]
items['x'], items[1.0], items[none]
items[::0]
n[1:]
d['b'], d.b, d['a'][1], d.a.0, d['é'], d.missing, d['missing']
d.items() | list, d['items'], d.items is string, d.keys() | list
d.missing.deeper
missing.attribute
missing['item']
missing
missing(1)
missing + 1
missing == missing2, missing == none, missing | length, missing is defined, not missing
missing | list, missing | string, [missing], missing | default('x')
none, true, false, [none, true, 1.0, 'it''s'], {'a': none}
['a', "it's", 'say "hi"', 'both \' and "', 'tab\t', 'nl\n', '\\', '\x00\x7f\xa0é\u200b🎉']
(), (1,), (1, 2), {}, {1: 'a', 'b': (2,), 2.5: none, none: 1}
{'a': 1, 'a': 2}, {1: 'x', true: 'y', 1.0: 'z'}
{[1]: 2}
'a' 'b' "c"
'\u00e9\x41\101\N'
'\é'
'esc \\ \' \" \n|\t|\q'
"a
b"
s.upper(), s.lower(), s.title(), s.capitalize(), s.swapcase()
'ß ﬁ ŉ'.upper(), 'ß'.title(), 'ΑΣ ΣΑΣ'.lower(), 'İ'.lower(), 'ǆ'.title(), 'ﬀ'.capitalize()
'Straße'.casefold(), "they're bill's friends".title(), 'x1y'.title()
blank.strip() == 'padded', blank.lstrip() | length, blank.rstrip() | length, blank | trim | length
'xxhixx'.strip('x'), 'xyhiyx'.strip('xy'), 'xxhixx'.lstrip('x'), 'éaé'.strip('é'), 'aXa'.rstrip('a')
'a b  c '.split(), 'a b  c '.split(' '), 'a,b,c'.split(',', 1), 'a,b,c'.rsplit(',', 1), ''.split(), ''.split(',')
' a  b c '.split(none, 1), ' a  b c '.rsplit(none, 1), 'a b c'.rsplit(), 'a,b,c'.split(',', maxsplit=1)
'a'.split('')
lines.splitlines(), lines.splitlines(true), 'a\r\nb\rc\x0bd\x85e'.splitlines(), ''.splitlines()
s.startswith('Hello'), s.endswith('🎉'), s.startswith(('x', 'H')), s.startswith('W', 7), s.endswith('lo', 0, 5)
s.startswith(1)
s.find('W'), s.find('zz'), s.find('l', 4), s.rfind('l'), s.index('ö'), 'aXbX'.rindex('X'), 'abc'.find('', 3), 'abc'.find('', 4)
s.index('zz')
'banana'.count('an'), 'banana'.count(''), 'banana'.count('a', 2), 'aaa'.count('aa'), 'abc'.find('c', -1), 'abc'.find('b', 2, 1)
'aaa'.replace('a', 'b'), 'aaa'.replace('a', 'b', 2), 'abc'.replace('', '-'), 'abc'.replace('', '-', 2), 'éé'.replace('é', 'e')
'-'.join(['a', 'b']), ''.join('abc'), ', '.join(d)
'-'.join([1])
'7'.isdigit(), '²'.isdigit(), '²'.isdecimal(), 'a1'.isalnum(), 'é'.isalpha(), ' '.isspace(), ''.isspace(), 'aB'.islower(), 'ab1'.islower(), 'AB'.isupper(), '1'.isupper(), 'é'.isascii(), '٣'.isdigit()
'a'.center(4), 'a'.center(5, '*'), 'ab'.center(5), 'a'.ljust(3, '.'), 'a'.rjust(3), '-7'.zfill(4), 'é'.rjust(3, '→')
'a'.center(5, '')
'k=v=w'.partition('='), 'k=v=w'.rpartition('='), 'x'.partition('='), 'x'.rpartition('=')
'prefix-x'.removeprefix('prefix-'), 'x.txt'.removesuffix('.txt'), 'x'.removeprefix('y')
'a\tb'.expandtabs(4), '\t|'.expandtabs()
'{} and {}'.format(1, 'b'), '{1}{0}'.format('a', 'b'), '{x}!'.format(x=2), '{{}}'.format(), '{0.name}{1[0]}{1[k]}'.format(people[0], {'k': 1})
'{:>5}|{:<5}|{:^5}|{:*^7}'.format('a', 'b', 'c', 'd'), '{:.2f} {:05d} {:+d} {:,} {:x}'.format(3.14159, 42, 7, 1234567, 255), '{!r}'.format('q'), '{:.1%}'.format(0.256)
'{'.format()
'{}'.format()
'%s is %d' % ('x', 3), '%s' % 'a', '%r' % 'a', '%5.2f|%-5s|%05d' % (3.14159, 'a', 42), '%d%%' % 5, '%(a)s' % {'a': 1}, '%x' % 255, '%+d' % 3
'%s' % (1, 2)
'%d' % 'x'
'%s %s' % 'x'
'%s'|format('y'), '%(k)s'|format(k=1), '%.1e'|format(12345.678)
items.index(1), items.count(3), (1, 2, 1).count(1), (1, 2).index(2)
items.index(9)
items.append(4)
items.append is defined, d.update is defined
items.pop()
d.pop('b')
d.clear()
d.get('b'), d.get('zz'), d.get('zz', 5), d.get('a')[0]
d.keys(), d.values(), d.items()
d | length, d | list, d | first, d | last
s.__class__
s.__class__.__mro__
s | length, items | length, items | count, 5 is number
5 | length
items | map('string') | length
s | upper, s | lower, s | capitalize, 'hello wORLD-foo (bar) x_y' | title, s | title
none | upper, 5 | string + 'x', 5.0 | string, true | lower
'  x ' | trim, 'xxyxx' | trim('x'), none | trim, blank | trim
items | join, items | join(', '), people | join('/', attribute='name'), s | join('-'), [1, none, 'a'] | join(' '), people | join(',', 'city.name')
items | first, items | last, [] | first, [] | last, s | first, s | last, '' | first
missing | default, missing | default('x'), none | default('x'), none | default('x', true), '' | d('y', boolean=true), 0 | default(default_value=3, boolean=true)
'aXbX' | replace('X', '-'), 'aXbX' | replace('X', '-', 1), 5 | replace('5', '6'), 'abc' | replace('', '.')
'42' | int, '42.7' | int, 'x' | int, 'x' | int(-1), 3.9 | int, -3.9 | int, true | int, '0x1F' | int(base=16), '101' | int(0, 2), '  12  ' | int, '1_000' | int, none | int(default=9), '' | int, '1e3' | int, 'inf' | int, '0b11' | int(0, 0)
missing | int
'3.5' | float, 'x' | float, 'x' | float(1.5), 3 | float, ' 1e-3 ' | float, 'inf' | float, '-inf' | float, 'nan' | float, '1_0.5' | float, '.5' | float, '5.' | float, '+1' | float, '1e400' | float, 'infinity' | float, none | float, '0x10' | float
-5 | abs, -5.5 | abs, 5 | abs, (-5) | abs, true | abs
'x' | abs
42.55 | round(1), 2.5 | round, 3.5 | round, -2.5 | round, 42 | round, 2.675 | round(2), 42.55 | round(1, 'floor'), 42.51 | round(method='ceil'), 5 | round(1, 'floor'), 1234.5678 | round(2)
items | sum, [1.5, 2] | sum, people | sum('age'), people | sum(attribute='age', start=100), [] | sum, [[1], [2]] | sum(start=[])
['a'] | sum
items | min, items | max, words | min, words | max, words | min(true), people | max(attribute='age'), [] | max, 'hello' | max
items | sort, items | sort(true), words | sort, words | sort(case_sensitive=true), people | sort(attribute='name') | map(attribute='name') | list, people | sort(attribute='age,name', reverse=true) | map(attribute='name') | list
people | sort(true, true, 'city.name') | map(attribute='name') | list, people | sort(attribute='age') | map(attribute='name') | list
people | sort('x')
[1, 'a'] | sort
words | unique | list, [1, 1.0, true, 2] | unique | list, people | unique(attribute='city.name') | map(attribute='name') | list, words | unique(true) | list
items | reverse | list, s | reverse, (1, 2) | reverse | list, d | reverse | list
items | reverse
5 | reverse
items | list, s[:3] | list, d | list, (1, 2) | list, range(3) | list
5 | list
words | map('upper') | list, people | map(attribute='city.name') | join(','), people | map(attribute='admin', default='-') | list, words | map('replace', 'a', 'A') | list, [] | map('nope') | list, [[1, 2], [3]] | map('sum') | list, [[1, 2]] | map(attribute=0) | list, [['a']] | map(attribute='0') | list
words | map | list
words | map('nope') | list
words | map('upper')
items | select('odd') | list, items | reject('odd') | list, [0, 1, '', 'a'] | select | list, [0, 1] | reject | list, items | select('gt', 1) | list, items | select('in', [1, 2]) | list, items | select('divisibleby', 3) | list
people | selectattr('admin') | map(attribute='name') | list, people | rejectattr('admin') | map(attribute='name') | list, people | selectattr('age', 'equalto', 30) | list | length, people | selectattr('admin', 'defined') | list | length, people | selectattr('city.name', '==', 'Bern') | map(attribute='name') | first, people | rejectattr('admin', 'undefined') | list | count
people | selectattr | list
people | selectattr('age', 'nope') | list
(people | selectattr('age', 'equalto', 99)) is defined, 'x' if people | selectattr('age', 'equalto', 99)
d | items | list, missing | items | list
d | dictsort, d | dictsort(by='key', reverse=true), {'b': 1, 'A': 2} | dictsort, {'b': 1, 'A': 2} | dictsort(true), {'b': 1, 'A': 2} | dictsort(false, 'value')
d | dictsort(by='nope')
d | tojson, d | tojson(indent=2), [] | tojson, {} | tojson(indent=2), [1, [2]] | tojson(indent=1), s | tojson, 'a"\\\n\t\x01\x7f/<>&\'' | tojson
s | tojson(ensure_ascii=true), {'b': 1, 'a': 2} | tojson(sort_keys=true), [1, {'a': 2}] | tojson(separators=(',', ':')), {1: none, true: 2.50, none: 1e20} | tojson, 1.0 | tojson, (1, 2) | tojson, {'a': [], 'b': {}} | tojson(indent=4), [1] | tojson(indent='--'), {'a': 1} | tojson(indent=0)
'nan' | float | tojson, [1e16, 1e-7, 0.1, 5e-324, 1.7976931348623157e308] | tojson
missing | tojson
range(2) | tojson
{(1, 2): 3} | tojson
lines | indent, lines | indent(2), lines | indent(2, true), lines | indent(2, blank=true), lines | indent('> '), '' | indent, 'a\n' | indent(1)
5 | indent
1 + 2 ~ 'a'
html | e, html | escape, html | forceescape, html | safe, (html | e) | e, (html | e) | forceescape
('<' | safe) + '<', '<' + ('<' | safe), ('<' | safe) ~ '<', ('<' | e) * 2, ('<' | safe) is string, ('<' | safe | upper) + '<', ('a<' | safe).replace('a', '<'), ('<' | safe)[0] + '<', ['<' | safe], ('a b' | safe).split()[0] + '<', ('<' | e) == '&lt;', ('<'|safe) is escaped
'a b, c_d 5' | wordcount, '' | wordcount, 'é-x' | wordcount
'x' | center(5), [1, 2, 3, 4, 5] | batch(2) | list, [1, 2, 3] | batch(2, 'z') | list, [1, 2, 3, 4, 5] | slice(2) | list, [1, 2, 3, 4, 5] | slice(3, 'z') | list
people | groupby('age') | map('first') | list, people | groupby('city.name') | map(attribute='list') | map('length') | list, people | groupby('admin', default=false) | map(attribute='grouper') | list, words | groupby(0) | list
people[0] | attr('name'), s | attr('nope') is defined
1 is odd, 2 is even, 9 is divisibleby 3, 9 is divisibleby(2), 2.0 is even
'x' is odd
missing is undefined, none is none, none is defined, s is string, n is number, f is number, true is number, true is integer, n is integer, f is float, true is boolean, 1 is boolean, true is true, 1 is true, false is false, 0 is false
d is mapping, items is mapping, items is iterable, 5 is iterable, s is iterable, d is iterable, s is sequence, d is sequence, items is sequence, 5 is sequence, none is iterable, missing is iterable, range(2) is sequence, d.items() is sequence
range is callable, s is callable, s.upper is callable, missing is callable, namespace is callable
1 is eq 1, 1 is ne 2, 1 is lt 2, 2 is gt 1, 1 is le 1, 1 is ge 2, 1 is equalto 1.0, 1 is lessthan 2, 1 is greaterthan 2, 1 is in [1], 'a' is in 'abc', none is sameas none, 1 is sameas true, true is sameas true
'abc' is lower, 'ABC' is upper, 'aB' is lower, '12' is upper, 'é' is lower
1 is not odd, missing is not defined, not 1 is odd, 2 is not in [1]
'upper' is filter, 'nope' is filter, 'odd' is test, 'nope' is test
1 is nope
1 | nope
range(5), range(5) | list, range(2, 5) | list, range(5, 0, -2) | list, range(0) | list, range(1, 2), range(0, 4, 2), range(10)[3], range(3) == range(0, 3), 2 in range(3), range(1) | string
range(1000000)
range(0, 1, 0)
range('a')
dict(a=1, b=2), dict({'a': 1}, b=2), dict([('x', 1), ['y', 2]]), dict()
dict([1])
namespace(a=1).a, namespace({'b': 2}).b, namespace(a=1), namespace(a=1).nope is defined, namespace(a=1)['a']
namespace(_a=1)
cycler('a', 'b').next(), cycler(1).current
raise_exception('boom')
strftime_now('%Y')
strftime_now is defined
[1, 2,], (1, 2,), {'a': 1,}
[1, [2, [3, [4]]]] | string | length
s.nope, s['nope'], n.nope, none.nope, items.nope
none.nope.x
n()
s()
d.items
s.upper
people[0].name ~ people[1]['name'] ~ people[-1].city.name
people | map(attribute='name') | map('lower') | join(',') | upper
(1, 2)[0], [1, 2][1], {'a': 5}['a'], 'abc'[1], 'abc' | first | upper
-items | first
- 5 | abs, 2 * 3 | string, 'a' ~ (1 + 2), 1 ~ 2 ~ 3 ~ 4, 7 - 2 - 1, 2 + 3 == 5, not 1 == 2, 1 if true else 2 if false else 3
1 if false else 2 if false else 3
*a
1 +
(1
[1, 2
'unclosed
a b
1 is
x |
{'a'}
{'a' 1}
f(a=1, 2)
""".strip("\n")

STATEMENTS = [
    # text, white space control
    "a{# comment #}b{#- x -#} c\n{# line #}\nd",
    "  {% if true %}\n  x\n  {% endif %}\ny",
    "  {%+ if true %}\n  x\n  {%+ endif %}\ny",
    "a\n  {%- if true -%}\n  x  \n{%- endif -%}\n  y",
    "{% if true +%}\nx{% endif +%}\ny",
    "x  {{ 1 }}  {{- 2 -}}  3\n  {{ 4 }}\n",
    "x {% set a = 1 %} y\n\t{% set b = 2 %}\t\nz",
    "{{ 1 }}\n", "{{ 1 }}\n\n", "\n", "", "x\r\ny\rz\r\n", "{{ 'a\r\nb' }}",
    "{% raw %}{{ x }} {% if %} {# #}{% endraw %}!", "a {%- raw -%} {{ x }} {%- endraw -%} b",
    "  {% raw %}\n  x\n  {% endraw %}\ny", "{% raw %}{% endraw %}", "{% raw %}x",
    "{ x } { % } {", "{#- -#}x", "a {#- b #}\nc", "a {#+ b +#}\nc", "{# unclosed", "{% if %}", "{{ }}",
    "{{ {'a': {'b': 1}} }}", "{{ {'a': {'b': 1}}['a']['b'] }}", "{{ '}}' }}{{ \"%}\" }}", "{{ (1 }}) }}",
    "{% nope %}", "{% endif %}", "{% if true %}", "{% if true %}{% endfor %}", "{{ 1", "{% set x = 1", "{{ 1 }",
    "{% do x %}", "{% include 'x' %}", "{% extends 'x' %}",
    # if
    "{% if n > 5 %}big{% elif n > 3 %}mid{% else %}small{% endif %}",
    "{% if 0 %}a{% elif '' %}b{% elif [] %}c{% else %}d{% endif %}",
    "{% if missing %}a{% else %}b{% endif %}", "{% if n, f %}tuple{% endif %}",
    "{% if false %}{{ 1|nope }}{% endif %}ok", "{% if true %}{{ 1|nope }}{% endif %}ok", "{{ 1|nope if false }}ok",
    # for
    "{% for x in items %}{{ x }}{% if not loop.last %}, {% endif %}{% endfor %}",
    "{% for x in items %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}"
    "{{ loop.first }}{{ loop.last }}{{ loop.length }} {% endfor %}",
    "{% for x in items %}[{{ loop.previtem }}|{{ x }}|{{ loop.nextitem }}]{% endfor %}",
    "{% for x in items %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }}{% endfor %}",
    "{% for x in items %}{{ loop.cycle('a', 'b') }}{{ loop.changed(x > 1) }}{{ loop.depth }}{{ loop.depth0 }}{% endfor %}",
    "{% for x in [] %}a{% else %}empty{% endfor %}", "{% for x in items if x > 5 %}a{% else %}empty{% endfor %}",
    "{% for x in items if x > 1 %}{{ loop.index }}/{{ loop.length }}:{{ x }} {% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "{% for k in d %}{{ k }}{% endfor %}",
    "{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    "{% for a, b in [1] %}{% endfor %}", "{% for a, b in [[1, 2, 3]] %}{% endfor %}", "{% for x in 5 %}{% endfor %}",
    "{% for x in none %}{% endfor %}", "{% for x in missing %}{% else %}none{% endfor %}",
    "{% for c in 'aé🎉' %}[{{ c }}]{% endfor %}", "{% for x in 1, 2, 3 %}{{ x }}{% endfor %}",
    "{% for x in items %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %}",
    "{% for x in items %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% else %}no{% endfor %}",
    "{% break %}", "{% for x in items %}{% macro m() %}{% break %}{% endmacro %}{% endfor %}",
    "{% for x in items %}{% for y in items %}{{ loop.index }}{% endfor %}{{ loop.index }} {% endfor %}",
    "{% for x in items %}{% for y in [loop.index] %}{{ y }}{% endfor %}{% endfor %}",
    "{% for x in items %}{% set loop = 1 %}{% endfor %}", "{% for loop in items %}{% endfor %}",
    "{% set x = 1 %}{% for i in items %}{% set x = i %}{{ x }}{% endfor %}{{ x }}",
    "{% for i in items %}{% if loop.first %}{% set y = 5 %}{% endif %}{{ y }}|{% endfor %}{{ y is defined }}",
    "{% for x in items recursive %}{{ x }}{% if x == 3 %}({{ loop([7, 8]) }}){% endif %}{{ loop.depth }}{% endfor %}",
    "{% for x in items %}{{ loop }}{{ loop|length }}{% endfor %}", "{{ loop }}",
    "{% set ns = namespace(stop=false) %}{% for x in items if not ns.stop %}{{ x }}{% set ns.stop = true %}{% endfor %}",
    "{% for x in items|reverse %}{{ loop.length }}{{ x }}{% endfor %}",
    "{% for x in people|selectattr('admin', 'defined') %}{{ x.name }}{{ loop.last }}{% endfor %}",
    "{% set g = items|map('string') %}{{ g|list }}{{ g|list }}{{ 3 in (items|map('abs')) }}",
    "{% for n in items %}{{ n }}{% endfor %}{{ n }}",
    "{% for x in items %}{{ x }}{% else %}e{% endfor %}{% for x in items if x is nope %}{% endfor %}",
    # set
    "{% set x = 5 %}{{ x }}{% set x = x + 1 %}{{ x }}", "{% set a, b = 1, 2 %}{{ a }}{{ b }}",
    "{% set a, b = [1] %}", "{% set a = 1, %}{{ a }}", "{% set (a, b) = 'xy' %}{{ b }}{{ a }}",
    "{% set x %}block {{ n }}{% endset %}{{ x }}|{{ x is string }}",
    "{% set x | upper | replace('B', '-') %}ab{{ n }}{% endset %}{{ x }}", "{% set 1 = 2 %}", "{% set true = 2 %}",
    "{% set x = 1 %}{% set y %}{% set x = 2 %}{{ x }}{% endset %}{{ y }}{{ x }}",
    "{% if true %}{% set z = 1 %}{% endif %}{{ z }}", "{% if false %}{% set n = 1 %}{% endif %}{{ n }}",
    "{% set ns = namespace(x=1) %}{% for i in items %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace() %}{% set ns.a, ns.b = 1, 2 %}{{ ns.a }}{{ ns.b }}{{ ns }}", "{% set d.x = 1 %}",
    "{% set ns = namespace() %}{% set ns._x = 1 %}", "{% set missing.x = 1 %}", "{% set s.x.y = 1 %}",
    "{% with a = 1, b = n %}{{ a }}{{ b }}{% endwith %}{{ a is defined }}",
    # macro, call
    "{% macro m(a, b=2, c=a) %}{{ a }}{{ b }}{{ c }}{% endmacro %}{{ m(1) }} {{ m(1, c=3) }} {{ m(b=1, a=0) }}",
    "{% macro m(a) %}[{{ a }}{{ a is defined }}]{% endmacro %}{{ m() }}{{ m(none) }}",
    "{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{% endmacro %}{{ m(b=2) }}",
    "{% macro m(a=1, b) %}{% endmacro %}", "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, x=3) }}",
    "{% macro m(n) %}{% if n %}{{ n }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(4) }}",
    "{% macro m() %}{{ x }}{% endmacro %}{% set x = 1 %}{{ m() }}{% set x = 2 %}{{ m() }}",
    "{% macro m() %}{% set x = 9 %}{{ x }}{% endmacro %}{% set x = 1 %}{{ m() }}{{ x }}",
    "{% macro m() %}{{ n }}{{ caller(1) }}{{ caller(2) }}{% endmacro %}{% call(v) m() %}<{{ v }}{{ n }}>{% endcall %}",
    "{% macro m() %}{{ caller is defined }}{{ caller() }}{% endmacro %}{{ m() }}",
    "{% macro m() %}x{% endmacro %}{% call m() %}y{% endcall %}",
    "{% macro m(x) %}{{ x }}{{ caller() }}{% endmacro %}{% call m('a') %}b{% endcall %}",
    "{% macro m(a, b=1) %}{{ caller }}{% endmacro %}{{ m }}{{ m.name }}{{ m.arguments }}{{ m.caller }}{{ m.catch_kwargs }}",
    "{{ m(1) }}{% macro m(a) %}{% endmacro %}", "{% macro m(a, b) %}{{ a }}{{ b }}{% endmacro %}{{ m(*[1, 2]) }}{{ m(**{'a': 3, 'b': 4}) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m('x')|upper }}{{ m('x') ~ 'y' }}{{ m('x') is string }}",
    "{% call 5 %}{% endcall %}", "{% for i in [1, 2] %}{% macro m() %}{{ i }}{% endmacro %}{{ m() }}{% endfor %}",
    # filter, generation, print
    "{% filter upper %}a{{ n }}b{% endfilter %}", "{% filter replace('a', 'b') | trim %} aXa {% endfilter %}|",
    "{% filter nope %}{% endfilter %}", "a{% generation %}b{{ n }}\n{% endgeneration %}c", "{% print n, f %}",
    "{% generation %}{% set q = 1 %}{% endgeneration %}{{ q is defined }}",
    "{% for x in items %}{% generation %}{{ x }}{{ loop.index }}{% endgeneration %}{% endfor %}",
    # globals
    "{% set c = cycler(1, 2) %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.reset() }}{{ c.current }}",
    "{% set j = joiner('; ') %}{% for x in items %}{{ j() }}{{ x }}{% endfor %}", "{% set range = 5 %}{{ range }}",
    "{% set strftime_now = 'x' %}{{ strftime_now }}", "{{ undefined_function() }}", "{{ messages[0]['role'] }}",
    "{{ s.upper }}", "{%- set x = namespace(v=[]) -%}{% for i in items %}{% set x.v = x.v + [i] %}{% endfor %}{{ x.v }}",
    "{{- bos_token }}{% if not date is defined %}{% set date = 'D' %}{% endif %}{{ date }}",
    "{{ ('a' if n == 7 else 'b') ~ ('c' if not n) }}", "{%if n%}x{%endif%}{{n}}{%-if n-%} y {%-endif-%}",
    "{{ n }}{{ '\\n' }}\n{{ n -}}\n\n x", "{% for x in items -%} {{ x }} {%- endfor %}", "{%- for x in items %}\n{{ x }}\n{%- endfor %}\n",
]


def make_cases() -> list:
    cases = [(f"{{{{ {line} }}}}" if not line.startswith("\n") else line, CONTEXT)
             for line in join_continued(EXPRESSIONS)]
    cases += [(template, CONTEXT) for template in STATEMENTS]
    cases.append(("{{ strftime_now('%d') }}", {"strftime_now": "today"}))
    return [(template, only_used(template, context)) for template, context in cases]


def join_continued(text: str) -> list:
    """One case a line; a line that opens a string and does not close it takes the next one."""
    lines = []
    for line in text.split("\n"):
        if lines and lines[-1] == '"a':
            lines[-1] += "\n" + line
        else:
            lines.append(line)
    return lines


def only_used(template: str, context: dict) -> dict:
    return {name: value for name, value in context.items() if name in template}


CASES = make_cases()
