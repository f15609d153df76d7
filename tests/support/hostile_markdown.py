"""Texts of any size that are meant to take a Markdown parser very long, much memory, or to break it."""
from collections.abc import Callable


def repeated(text: str) -> Callable[[int], str]:
    return lambda size: text * (size // len(text))


def numbered(template: str) -> Callable[[int], str]:
    """Repeat a template, with a number of its own for each N in it."""
    return lambda size: ''.join(
        template.replace('N', str(number)) for number in range(size // (len(template) + 4))
    )


def nested(opening: str, middle: str, closing: str) -> Callable[[int], str]:

    def build(size: int) -> str:
        depth = size // (len(opening) + len(closing))
        return opening * depth + middle + closing * depth

    return build


def wide_table(size: int) -> str:
    columns = size // 7
    return f'|{"a|" * columns}\n|{"-|" * columns}\n' + '|\n' * columns


def staircase(step: str, rest: str) -> Callable[[int], str]:
    """Begin each line, or part of one, with a step more than the one before."""
    return lambda size: ''.join(step * number + rest for number in range(int((2 * size / len(step))**0.5)))


def marked_lines(size: int) -> str:
    return f'``` a hl_lines="{"1-9999 " * (size // 14)}1"\n' + 'b\n' * (size // 4) + '```\n'


HOSTILE: dict[str, Callable[[int], str]] = {
    'opening brackets': repeated('['),
    'image brackets': repeated('!['),
    'nested brackets': nested('[', 'a', ']'),
    'nested links': nested('[', 'a', '](b)'),
    'links never closed': repeated('[a]('),
    'link titles never closed': repeated('[a](b "c'),
    'parentheses in a link': lambda size: '[a](' + '(' * size,
    'frames': repeated('<iframe src="https://video.example"></iframe>\n'),
    'unclosed frames': repeated('<iframe src="https://video.example"> '),
    'footnote marks': repeated('[^a]'),
    'one line of quotes': repeated('>'),
    'quotes in list items': repeated('> - '),
    'quotes getting deeper': staircase('>', ' a\n'),
    'lists getting deeper': staircase('    ', '- a\n'),
    'list marks on one line': repeated('- '),
    'numbers on one line': repeated('1. '),
    'lists of all kinds': repeated('- a\n* b\n+ c\n1. d\n'),
    'loose list items': repeated('- a\n\n    b\n\n'),
    'indented lines': repeated('    a\n\n'),
    'stars': repeated('*'),
    'mixed emphasis': repeated('*a_'),
    'emphasis never closed': repeated('**a *b '),
    'emphasis closed elsewhere': repeated('*a **b* c** '),
    'strong in emphasis': nested('*a **b ', 'c', ' d** e*'),
    'backticks and letters': repeated('`a'),
    'growing runs of backticks': staircase('`', 'a '),
    'backslashes': repeated('\\'),
    'a table as wide as high': wide_table,
    'a long table': lambda size: '|a|b|c|\n|-|-|-|\n' + '|1|2|3|\n' * (size // 8),
    'many tables': repeated('|a|\n|-|\n|b|\n\n'),
    'backticks in a table': lambda size: '|a|b|\n|-|-|\n|' + '`|' * (size // 2),
    'footnotes': numbered('a[^N]\n\n[^N]: b\n\n'),
    'footnotes in one block': numbered('[^N]: b\n'),
    'footnotes of one name': repeated('a[^1]\n\n[^1]: b\n\n'),
    'one footnote, many references': lambda size: '[^1]: a\n\n' + '[^1]' * (size // 4),
    'footnotes in footnotes': numbered('[^N]: a\n\n    [^N]: b\n\n'),
    'definitions': numbered('[N]: b\n'),
    'definitions and their uses': numbered('[N]\n\n[N]: b\n\n'),
    'definitions of one name': repeated('[a]: b\n'),
    'a comment never closed': lambda size: '<!-- ' + 'a ' * (size // 2),
    'comments never closed': repeated('<!--'),
    'instructions': repeated('<?'),
    'CDATA': repeated('<![CDATA['),
    'angles': repeated('<'),
    'tags never ended': repeated('<a '),
    'attributes never closed': repeated('<a b="'),
    'attributes without end': lambda size: '<a ' + 'b=c ' * (size // 4),
    'ampersands': repeated('&'),
    'entities': repeated('&amp;'),
    'nested blocks of HTML': nested('<div>', 'a', '</div>'),
    'blocks of HTML never closed': repeated('<div>'),
    'inline HTML never closed': repeated('<b>'),
    'inline HTML in links': repeated('<a href=b><i>'),
    'nested tables of HTML': repeated('<table><tr><td>'),
    'elements that are dropped': repeated('<svg><title>'),
    'attribute lists': repeated('*a*{#b .c d=e}'),
    'attribute lists on headings': repeated('# a {#b}\n\n'),
    'headings of one name': repeated('# a\n\n'),
    'number signs': repeated('#'),
    'underlined headings': repeated('a\n=\n'),
    'underlines': repeated('=\n'),
    'rules': repeated('---\n'),
    'a rule almost': lambda size: '- ' * (size // 2) + 'a',
    'fences': repeated('```\n'),
    'fences never closed': numbered('```aN\n'),
    'growing fences': staircase('`', '```\n'),
    'fences of unknown languages': numbered('```aN\nb\n```\n'),
    'fences of many options': lambda size: '``` a ' + 'b="c" ' * (size // 6) + '\nd\n```\n',
    'fences in quotes': repeated('> ```\n> a\n> ```\n'),
    'fences in list items': repeated('- a\n\n    ```\n    b\n    ```\n'),
    'a fence of marked lines': marked_lines,
    'dense code': lambda size: '```js\n' + 'a=b(c,1);' * (size // 9) + '\n```\n',
    'strings never closed': lambda size: '```python\n' + '"""\\"' * (size // 5) + '\n```\n',
    'Ruby': lambda size: '```ruby\n' + '<<A ' * (size // 4) + '\n```\n',
    'tasks': repeated('- [ ] a\n'),
    'tasks getting deeper': staircase('    ', '- [x] a\n'),
    'addresses': repeated('<http://a.b>'),
    'addresses never closed': repeated('<http://a'),
    'one long word': repeated('a'),
    'spaces before a letter': lambda size: ' ' * size + 'a',
    'line breaks': repeated('a  \n'),
    'empty lines': repeated('\n'),
    'placeholders of the parser': numbered('\x02wzxhzdk:N\x03'),
    'placeholders of inline marks': numbered('\x02klzzwxh:N\x03'),
    'control characters': repeated('\0\t\r\x0c\u2028\u202e'),
    'bare addresses': repeated('http://a.b/c_'),
    'bare addresses of no host': repeated('http://a_/'),
    'colons': repeated('a:'),
    'addresses of e-mail': repeated('a@b.c-'),
    'at signs': repeated('@'),
    'addresses that begin with www': repeated('www.a '),
    'closing parentheses behind an address': lambda size: 'http://a/' + ')' * size,
    'formulas never closed': repeated('$a '),
    'formulas of two dollars never closed': lambda size: '$$' + 'a$b' * (size // 3),
    'escaped dollars': repeated('$\\$'),
    'blocks of formulas never closed': repeated('$$\na\n\n'),
    'shortcodes': repeated(':tada: '),
    'callouts': repeated('> [!NOTE]\n> a\n\n'),
    'callouts in callouts': staircase('> ', '[!NOTE]\n'),
    'definitions of terms': repeated('a\n: b\n\n'),
    'terms in terms': staircase(': ', 'a\n'),
    'styles never closed': repeated('<style>\n'),
    'styles never closed in a line': repeated('a <style> '),
    'unknown tags': repeated('Vec<String> '),
    'a block of unknown tags': lambda size: '<div>\n' + '<foo bar="">\n' * (size // 13),
    'comments in a block': lambda size: '<div>\n' + '<!--a-->' * (size // 16) + '<!--a' * (size // 10),
    'front matter never closed': lambda size: '---\n' + 'a: b\n' * (size // 5),
    'attribute lists never closed': repeated('*a*{.b '),
    'attribute lists on one line': lambda size: '# a' + ' {.b' * (size // 4),
    'videos': repeated('<video src="https://a.b/c" onplay=d>'),
    'emoji headings': repeated('# \U0001f389\n\n'),
}  # yapf: disable

# What takes longer than the service allows.
ENDLESS = ('blocks of HTML never closed', 'lists of all kinds')
