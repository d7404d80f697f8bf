/* Rows of a table: `fill` sets the values of many rows between the texts that never change. The compiled twin of
 * `fill_in_python` in rows.py, which says what must come out: tests/engine_docx/test_rows.py holds the two equal, for
 * every character of Unicode and for random rows.
 *
 * What a value may do here is little: a text of plain signs is copied as UTF-8, & < > " are escaped, a whole number is
 * written out. Whatever else comes (line breaks, signs that need a font, objects) goes to its writer, in Python.
 *
 * Nothing is written before `reserve` has made room for the most it can take. All arguments are tuples, which cannot
 * change while a writer runs.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* What is written so far: `bytes` is its object, `at` where the next byte goes, `end` where its room ends. */
typedef struct {
    PyObject *bytes;
    char *at;
    char *end;
} Output;

/* Make room for `more` bytes. Return -1 with an exception where there is none. */
static int
reserve(Output *out, Py_ssize_t more)
{
    if (out->end - out->at >= more) {
        return 0;
    }
    char *start = PyBytes_AS_STRING(out->bytes);
    Py_ssize_t used = out->at - start, size = out->end - start;
    if (more > PY_SSIZE_T_MAX / 2 - size) {
        PyErr_NoMemory();
        return -1;
    }
    size = 2 * size + more;
    if (_PyBytes_Resize(&out->bytes, size) < 0) { /* frees the bytes and sets them to NULL where it fails */
        return -1;
    }
    start = PyBytes_AS_STRING(out->bytes);
    out->at = start + used;
    out->end = start + size;
    return 0;
}

static int
put_bytes(Output *out, PyObject *bytes)
{
    Py_ssize_t size = PyBytes_GET_SIZE(bytes);
    if (reserve(out, size) < 0) {
        return -1;
    }
    memcpy(out->at, PyBytes_AS_STRING(bytes), (size_t)size);
    out->at += size;
    return 0;
}

/* Write & < > " as XML has them; return NULL for any other sign. At most 6 bytes. */
static char *
put_escaped(char *at, Py_UCS4 sign)
{
    const char *name = sign == '&' ? "&amp;" : sign == '<' ? "&lt;" : sign == '>' ? "&gt;" : sign == '"' ? "&quot;" : NULL;
    if (name == NULL) {
        return NULL;
    }
    size_t size = strlen(name);
    memcpy(at, name, size);
    return at + size;
}

/* Which ASCII signs are not copied as they are: control characters, and what put_escaped knows. */
static const char SPECIAL[128] = {
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    ['"'] = 1, ['&'] = 1, ['<'] = 1, ['>'] = 1,
};

/* Write a sign beyond ASCII as UTF-8; return NULL for one that its writer must look at. At most 4 bytes.
 * U+00B7 and U+2010..U+206F are quotes, dashes, dots that Latin and Chinese share, line separators and signs of
 * direction; halves of a pair, U+FFFE and U+FFFF are no characters of XML.
 */
static inline char *
put_wide(char *at, Py_UCS4 sign)
{
    if (sign < 0x800) {
        if (sign == 0xB7) {
            return NULL;
        }
        *at++ = (char)(0xC0 | sign >> 6);
    }
    else if (sign < 0x10000) {
        if ((sign >= 0x2010 && sign <= 0x206F) || (sign >= 0xD800 && sign <= 0xDFFF) || sign >= 0xFFFE) {
            return NULL;
        }
        *at++ = (char)(0xE0 | sign >> 12);
        *at++ = (char)(0x80 | (sign >> 6 & 0x3F));
    }
    else {
        *at++ = (char)(0xF0 | sign >> 18);
        *at++ = (char)(0x80 | (sign >> 12 & 0x3F));
        *at++ = (char)(0x80 | (sign >> 6 & 0x3F));
    }
    *at++ = (char)(0x80 | (sign & 0x3F));
    return at;
}

/* Write the signs of a text, which Python keeps in one, two or four bytes each; return NULL where a writer must. */
#define DEFINE_PUT_SIGNS(NAME, TYPE)                                        \
    static char *NAME(char *at, const TYPE *sign, Py_ssize_t length)        \
    {                                                                       \
        for (const TYPE *end = sign + length; sign < end; sign++) {         \
            if (*sign >= 0x80) {                                            \
                at = put_wide(at, *sign);                                   \
            }                                                               \
            else if (SPECIAL[*sign]) {                                      \
                at = put_escaped(at, *sign);                                \
            }                                                               \
            else {                                                          \
                *at++ = (char)*sign;                                        \
            }                                                               \
            if (at == NULL) {                                               \
                return NULL;                                                \
            }                                                               \
        }                                                                   \
        return at;                                                          \
    }

DEFINE_PUT_SIGNS(put_signs_of_one, Py_UCS1)
DEFINE_PUT_SIGNS(put_signs_of_two, Py_UCS2)
DEFINE_PUT_SIGNS(put_signs_of_four, Py_UCS4)

/* Return how many signs a text has, or -1 with an exception. In Python 3.11 a text that an extension made by
 * PyUnicode_FromUnicode is not laid out before somebody asks for it.
 */
static Py_ssize_t
get_length(PyObject *text)
{
#if PY_VERSION_HEX < 0x030C0000
    if (PyUnicode_READY(text) < 0) {
        return -1;
    }
#endif
    return PyUnicode_GET_LENGTH(text);
}

/* Write a text. Return 1, or 0 where its writer must (nothing is written then), or -1 with an exception. */
static int
put_text(Output *out, PyObject *text, Py_ssize_t longest)
{
    Py_ssize_t length = get_length(text);
    if (length < 0) {
        return -1;
    }
    if (length >= longest || length > PY_SSIZE_T_MAX / 8) {
        return 0;
    }
    if (reserve(out, 6 * length) < 0) {
        return -1;
    }
    char *at;
    switch (PyUnicode_KIND(text)) {
    case PyUnicode_1BYTE_KIND:
        at = put_signs_of_one(out->at, PyUnicode_1BYTE_DATA(text), length);
        break;
    case PyUnicode_2BYTE_KIND:
        at = put_signs_of_two(out->at, PyUnicode_2BYTE_DATA(text), length);
        break;
    default:
        at = put_signs_of_four(out->at, PyUnicode_4BYTE_DATA(text), length);
    }
    if (at == NULL) {
        return 0;
    }
    out->at = at;
    return 1;
}

/* Write a whole number. Returns as put_text. */
static int
put_number(Output *out, PyObject *number)
{
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(number, &overflow);
    if (overflow) {
        return 0;
    }
    if (reserve(out, 24) < 0) {
        return -1;
    }
    unsigned long long rest = value < 0 ? 0 - (unsigned long long)value : (unsigned long long)value;
    char digits[24];
    int count = 0;
    do {
        digits[count++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0) {
        digits[count++] = '-';
    }
    while (count) {
        *out->at++ = digits[--count];
    }
    return 1;
}

/* True where a value is of one of these kinds itself, not of one made from them. */
static int
is_one_of(PyObject *value, PyObject *kinds)
{
    for (Py_ssize_t index = 0; index < PyTuple_GET_SIZE(kinds); index++) {
        if (PyTuple_GET_ITEM(kinds, index) == (PyObject *)Py_TYPE(value)) {
            return 1;
        }
    }
    return 0;
}

/* Write a number or a date as its text. Returns as put_text. */
static int
put_as_text(Output *out, PyObject *value, Py_ssize_t longest)
{
    PyObject *text = PyObject_Str(value);
    if (text == NULL) {
        return -1;
    }
    int done = PyUnicode_CheckExact(text) ? put_text(out, text, longest) : 0;
    Py_DECREF(text);
    return done;
}

/* Write what a writer makes of a value. Return -1 with an exception where it fails. */
static int
put_written(Output *out, PyObject *value, PyObject *writer)
{
    PyObject *written = PyObject_CallOneArg(writer, value);
    if (written == NULL) {
        return -1;
    }
    int failed = -1;
    if (PyBytes_CheckExact(written)) {
        failed = put_bytes(out, written);
    }
    else {
        PyErr_SetString(PyExc_TypeError, "a writer gives bytes");
    }
    Py_DECREF(written);
    return failed;
}

/* What `fill` is called with; all are borrowed from its caller. */
typedef struct {
    PyObject *fixed;
    PyObject *writers;
    PyObject *values;
    PyObject *numbers;
    Py_ssize_t longest;
    Py_ssize_t room;
} Task;

static int
put_value(Output *out, PyObject *value, PyObject *writer, const Task *task)
{
    int done;
    if (PyUnicode_CheckExact(value)) {
        done = put_text(out, value, task->longest);
    }
    else if (PyLong_CheckExact(value)) {
        done = put_number(out, value);
    }
    else if (value == Py_None) {
        done = 1;
    }
    else if (is_one_of(value, task->numbers)) {
        done = put_as_text(out, value, task->longest);
    }
    else {
        done = 0;
    }
    return done ? (done < 0 ? -1 : 0) : put_written(out, value, writer);
}

/* Write the row whose values begin at `first`. */
static int
put_row(Output *out, Py_ssize_t first, const Task *task)
{
    Py_ssize_t width = PyTuple_GET_SIZE(task->writers);
    for (Py_ssize_t index = 0; index < width; index++) {
        PyObject *value = PyTuple_GET_ITEM(task->values, first + index);
        if (put_bytes(out, PyTuple_GET_ITEM(task->fixed, index)) < 0
            || put_value(out, value, PyTuple_GET_ITEM(task->writers, index), task) < 0) {
            return -1;
        }
    }
    return put_bytes(out, PyTuple_GET_ITEM(task->fixed, width));
}

/* No size below is larger than this: whatever is added to it once more is no overflow. */
#define LARGEST (PY_SSIZE_T_MAX / 4)

static int
add_size(Py_ssize_t *total, Py_ssize_t size)
{
    if (size > LARGEST - *total) {
        PyErr_NoMemory();
        return -1;
    }
    *total += size;
    return 0;
}

/* Set `total` to the bytes of `fixed` together. Return -1 with an exception where they are not as they must be. */
static int
measure_fixed(const Task *task, Py_ssize_t *total)
{
    Py_ssize_t count = PyTuple_GET_SIZE(task->fixed);
    if (count != PyTuple_GET_SIZE(task->writers) + 1) {
        PyErr_SetString(PyExc_TypeError, "one text stands before each value, and one after the last");
        return -1;
    }
    for (Py_ssize_t index = 0; index < count; index++) {
        PyObject *text = PyTuple_GET_ITEM(task->fixed, index);
        if (!PyBytes_CheckExact(text)) {
            PyErr_SetString(PyExc_TypeError, "the texts that never change are bytes");
            return -1;
        }
        if (add_size(total, PyBytes_GET_SIZE(text)) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Add to `total` the signs of all texts. Return -1 with an exception where there are too many. */
static int
measure_texts(PyObject *values, Py_ssize_t *total)
{
    Py_ssize_t count = PyTuple_GET_SIZE(values);
    for (Py_ssize_t index = 0; index < count; index++) {
        PyObject *value = PyTuple_GET_ITEM(values, index);
        Py_ssize_t length = PyUnicode_Check(value) ? get_length(value) : 0;
        if (length < 0 || add_size(total, length) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Set `total` to the bytes of the fixed texts of all rows and the signs of all values. Return -1 with an exception. */
static int
measure(const Task *task, Py_ssize_t *total)
{
    Py_ssize_t each = 0, width = PyTuple_GET_SIZE(task->writers), size = PyTuple_GET_SIZE(task->values);
    if (measure_fixed(task, &each) < 0) {
        return -1;
    }
    if (width == 0 || size % width) {
        PyErr_SetString(PyExc_TypeError, "each row has a value for each writer");
        return -1;
    }
    if (each && size / width > LARGEST / each) {
        PyErr_NoMemory();
        return -1;
    }
    *total = each * (size / width);
    return measure_texts(task->values, total);
}

PyDoc_STRVAR(fill_doc, "fill(fixed, writers, values, numbers, longest, room) -> bytes | None\n\n"
                       "See `fill_in_python` in rows.py.");

static PyObject *
fill(PyObject *Py_UNUSED(module), PyObject *args)
{
    Task task;
    if (!PyArg_ParseTuple(args, "O!O!O!O!nn:fill", &PyTuple_Type, &task.fixed, &PyTuple_Type, &task.writers,
                          &PyTuple_Type, &task.values, &PyTuple_Type, &task.numbers, &task.longest, &task.room)) {
        return NULL;
    }
    Py_ssize_t total, width = PyTuple_GET_SIZE(task.writers), count = PyTuple_GET_SIZE(task.values);
    if (measure(&task, &total) < 0) {
        return NULL;
    }
    if (count > width && total > task.room) {
        Py_RETURN_NONE;
    }
    /* Twice the signs: Chinese takes three bytes for each, but most of a table is what never changes. */
    Py_ssize_t size = 2 * total + 1;
    Output out = {PyBytes_FromStringAndSize(NULL, size), NULL, NULL};
    if (out.bytes == NULL) {
        return NULL;
    }
    out.at = PyBytes_AS_STRING(out.bytes);
    out.end = out.at + size;
    for (Py_ssize_t first = 0; first < count; first += width) {
        if (put_row(&out, first, &task) < 0) {
            Py_XDECREF(out.bytes); /* NULL where there was no room for more */
            return NULL;
        }
    }
    _PyBytes_Resize(&out.bytes, out.at - PyBytes_AS_STRING(out.bytes));
    return out.bytes;
}

PyDoc_STRVAR(pick_doc, "pick(keys, items) -> tuple | None\n\nSee `pick_in_python` in rows.py.");

static PyObject *
pick(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *keys, *items;
    if (!PyArg_ParseTuple(args, "O!O!:pick", &PyTuple_Type, &keys, &PyTuple_Type, &items)) {
        return NULL;
    }
    Py_ssize_t width = PyTuple_GET_SIZE(keys), count = PyTuple_GET_SIZE(items);
    if (width && count > LARGEST / width) {
        return PyErr_NoMemory();
    }
    PyObject *values = PyTuple_New(width * count);
    if (values == NULL) {
        return NULL;
    }
    for (Py_ssize_t row = 0; row < count; row++) {
        PyObject *item = PyTuple_GET_ITEM(items, row);
        for (Py_ssize_t index = 0; index < width; index++) {
            PyObject *key = PyTuple_GET_ITEM(keys, index);
            PyObject *value = PyDict_CheckExact(item) ? PyDict_GetItemWithError(item, key) : NULL;
            if (value == NULL) {
                Py_DECREF(values);
                if (PyErr_Occurred()) {
                    return NULL;
                }
                Py_RETURN_NONE;
            }
            Py_INCREF(value);
            PyTuple_SET_ITEM(values, row * width + index, value);
        }
    }
    return values;
}

static PyMethodDef methods[] = {
    {"fill", fill, METH_VARARGS, fill_doc},
    {"pick", pick, METH_VARARGS, pick_doc},
    {NULL, NULL, 0, NULL},
};

/* The check sum of this file, set by hatch_build.py: rows.py does without what was compiled from another one. */
#ifndef SOURCE
#define SOURCE 0
#endif

static int
add_source(PyObject *module)
{
    return PyModule_AddIntConstant(module, "SOURCE", SOURCE);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, add_source},
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_rows",
    .m_doc = "Rows of a table, compiled. See rows.py.",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit__rows(void)
{
    return PyModuleDef_Init(&definition);
}
